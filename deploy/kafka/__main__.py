"""`python -m deploy.kafka`: one broker in the foreground, for development. Its records are there again next time."""

import argparse
import signal
import sys
from pathlib import Path

from deploy.kafka.broker import Broker, BrokerFailed
from deploy.kafka.jars import KafkaMissing, cache


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka", description="One Kafka broker on this machine.")
    parser.add_argument("--port", type=int, default=9092, help="default 9092")
    parser.add_argument("--data", type=Path, help="where it keeps its records; default: beside its jars, one a port")
    chosen = parser.parse_args()
    broker = Broker(chosen.data or cache() / f"broker-{chosen.port}", port=chosen.port)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        broker.start()
        print(f"KAFKA_BOOTSTRAP_SERVERS={broker.address}", flush=True)
        broker.wait_until_it_ends()
    except (KafkaMissing, BrokerFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        broker.stop()
    return 0


sys.exit(main())
