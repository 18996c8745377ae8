"""Which log this process uses: Kafka where its brokers are named, else the embedded one in the data folder.

Nothing connects yet: the broker may be away when everything starts.
"""

from shared.data_folder import prepare
from shared.log.kafka import KafkaLog
from shared.log.sqlite import SqliteLog
from shared.settings import Settings


def open_log(settings: Settings) -> KafkaLog | SqliteLog:
    if settings.kafka is not None:
        return KafkaLog(settings.kafka)
    return SqliteLog(prepare(settings.data) / "log", settings.topics())
