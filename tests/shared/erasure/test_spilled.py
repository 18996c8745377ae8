"""Who is erased while a broker is away is not found on ingest's disk; nothing else of the spill changes."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from shared.config import ConfigStore
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.erasure.spilled import SpillEraser
from shared.events.raw import packed
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from shared.log.spilling import SpillingLog
from shared.settings import Settings
from tests.builders import activity, answer
from tests.columns import in_files
from tests.scoring.delivered import delivery
from tests.sealing import SEALING
from tests.shared.log.brokers import HeldClock

ERASED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
CUSTOMER, NAME, TEXT = "bozydar@przyklad.example", "Bożydar Kłębkowski", "Kurier rzucił paczką w kałużę"
MARKS = (CUSTOMER, NAME, TEXT)
THEIRS = [
    activity("customer.updated.v1", "cu", customer=CUSTOMER, name=NAME),
    answer(f"of {CUSTOMER}", 3, text=TEXT, customer=CUSTOMER),
]
OTHER = answer("other", 9, text="Dobrze", customer="c-2")


class Spilled:
    """An ingest whose broker is away, and that hears of erasures all the same."""

    def __init__(self, folder: Path) -> None:
        self.broker = MemoryLog(Settings(partitions=1).topics())
        self.folder = folder / "spill"
        self.log = SpillingLog(self.broker, self.folder, HeldClock())
        self.config = ConfigStore(MemoryLog(Settings().topics()), "petla.config")
        self.requests = Requests(self.config, Names(SEALING))
        self.eraser = SpillEraser(self.requests, self.log)


@pytest.fixture
async def spilled(tmp_path: Path) -> AsyncIterator[Spilled]:
    made = Spilled(tmp_path)
    await made.config.start()
    yield made
    await made.config.stop()
    await made.log.close()


async def test_what_waits_says_nothing_of_them_any_more(spilled: Spilled) -> None:
    spilled.broker.unavailable = "silent"
    await spilled.log.append([*THEIRS, OTHER])
    assert len(in_files(spilled.folder, MARKS)) > 2
    await spilled.requests.ask(CUSTOMER, ERASED_AT)
    assert await spilled.eraser.run_once() == 2
    assert in_files(spilled.folder, MARKS) == []
    assert await spilled.eraser.run_once() == 0
    spilled.broker.unavailable = None
    await spilled.log.forward_once()
    told = {record.value for name in ("petla.activity", "petla.feedback") for record in spilled.broker.records(name)}
    assert OTHER.value in told
    kept = [json.loads(value or b"")["data"] for value in told]
    assert {(data.get("customer"), data.get("score")) for data in kept} == {
        ("erased", None),
        ("erased", 3.0),
        ("c-2", 9.0),
    }


async def test_who_came_back_is_left(spilled: Spilled) -> None:
    spilled.broker.unavailable = "silent"
    await spilled.log.append(THEIRS)
    await spilled.requests.ask(CUSTOMER, datetime(2026, 11, 1, tzinfo=UTC))
    assert await spilled.eraser.run_once() == 0


async def test_what_was_sent_is_not_left_in_the_file(spilled: Spilled) -> None:
    spilled.broker.unavailable = "silent"
    await spilled.log.append(THEIRS)
    spilled.broker.unavailable = None
    await spilled.log.forward_once()
    assert spilled.log.spilled == 0
    assert in_files(spilled.folder, MARKS) == []


async def test_nobody_can_read_what_is_no_event(spilled: Spilled) -> None:
    spilled.broker.unavailable = "silent"
    await spilled.log.append([NewRecord("petla.feedback", b"", b"garbage")])
    await spilled.requests.ask(CUSTOMER, ERASED_AT)
    assert await spilled.eraser.run_once() == 0


async def test_a_delivery_that_a_form_spelled_is_theirs(spilled: Spilled) -> None:
    """Twilio writes `From=%2B48601234987`."""
    body = packed(urlencode({"From": "+48601234987", "Body": TEXT}).encode())
    spilled.broker.unavailable = "silent"
    await spilled.log.append([delivery("call", body=body), delivery("other")])
    await spilled.requests.ask("+48601234987", ERASED_AT)
    assert await spilled.eraser.run_once() == 1
