"""A person is erased from a whole `petla up`, killed on the way: no file under its data folder says who it was."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.erasure.receipts import is_genuine
from tests.columns import in_files
from tests.e2e.client import Client
from tests.e2e.processes import PETLA, PROJECT, Installation, Server, temporary_installation, until

pytestmark = pytest.mark.slow

NAME, PHONE, EMAIL = "Bożydar Kłębkowski", "+48 601 234 987", "bozydar.klebkowski@przyklad.example"
TEXT, NOTE = "Kurier rzucił paczką w kałużę", "oddzwonić po południu, pies Burek szczeka"
MARKS = (NAME, "Kłębkowski", PHONE, "601 234 987", EMAIL, "klebkowski", TEXT, "kałużę", NOTE, "Burek", "Grawer")
NOWHERE: dict[str, Any] = {
    "ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/hook",
    "ALERTS_WEBHOOK_SECRET": "whsec_" + "A" * 32,
}
METRICS = ("nps", "csat", "late_delivery", "followup_coverage", "close_rate", "recommend")
MOST_SECONDS = 60.0


def event(type_: str, id_: str, **data: Any) -> dict[str, Any]:
    moment = "2026-11-20T10:00:00+01:00"
    return {"specversion": "1.0", "id": id_, "source": "/shop", "type": type_, "time": moment, "data": data}


def answer(id_: str, score: int, **data: Any) -> dict[str, Any]:
    return event("feedback.received.v1", id_, **{"metric": "nps", "score": score, "channel": "email", **data})


PERSON = [
    event("customer.updated.v1", "cu-1", customer=EMAIL, name=NAME, phone=PHONE, email=EMAIL),
    event("order.placed.v1", "op-1", order_id="o-9", customer=EMAIL, items=[{"name": f"Grawer {NAME}"}]),
    event("delivery.promised.v1", "dp-1", order_id="o-9", promised_date="2026-11-18"),
    event("delivery.completed.v1", "dc-1", order_id="o-9", completed_at="2026-11-19T10:00:00+01:00"),
    event("contact.opened.v1", "co-1", contact_id="k-1", order_id="o-9", topic=f"Od {NAME}"),
    answer(f"answer of {EMAIL}", 1, text=TEXT, customer=EMAIL, order_id="o-9"),
    answer("by order", 2, text=f"{TEXT}!", order_id="o-9"),
    answer("clash", 3, text=TEXT, customer=EMAIL),
    answer("clash", 4, text=f"{TEXT}?", customer=EMAIL),
]
OTHERS = [answer(f"other {number}", number % 11, customer=f"c-{number}", text="Dobrze") for number in range(300)]


class Shop:
    """A Pętla that knows one recognisable person among others."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.server: Server = installation.up(**NOWHERE)
        self.key = installation.create_key()["key"]

    def restart(self) -> None:
        self.server.kill()
        self.server = self.installation.up(**NOWHERE)

    def client(self) -> Client:
        return Client(self.server.url, self.key)

    def numbers(self) -> dict[str, Any]:
        with self.client() as client:
            settled = client.settled()
            window = {"from": "2026-11-01", "to": "2026-12-01"}
            found: dict[str, Any] = {metric: client.get(f"/v1/metrics/{metric}", **window) for metric in METRICS}
            found["by channel"] = client.get("/v1/metrics/nps", group_by="channel", **window)
        return found | {"detractors": settled["detractors"], "feedback": settled["feedback"], "ok": settled["balanced"]}

    def comment(self) -> None:
        with httpx.Client(base_url=self.server.url, headers={"Authorization": f"Bearer {self.key}"}) as http:
            followup = http.get("/v1/followups", params={"customer": EMAIL}).json()["items"][0]
            body = {"version": followup["version"], "by": "anna", "note": NOTE}
            assert http.post(f"/v1/followups/{followup['id']}/comment", json=body).status_code == 200

    def erase(self) -> "subprocess.Popen[str]":
        environment = {"PETLA_DATA": str(self.installation.data), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)}
        words: list[str | Path] = [PETLA, "erase", EMAIL, "--json"]
        environment |= self.installation.environment
        return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)

    def export(self) -> dict[str, Any]:
        made = self.installation.command("export", EMAIL, "--url", self.server.url, "--key", self.key)
        assert made.returncode == 0, made.stderr
        return dict(json.loads(made.stdout))


@pytest.fixture
def shop() -> Iterator[Shop]:
    with temporary_installation() as installation:
        yield Shop(installation)


def erased(shop: Shop, *, killing: bool) -> dict[str, Any]:
    """The receipt, once it is complete. `killing`: all processes of Pętla end as soon as the first rows are empty."""
    asked = shop.erase()
    if killing:
        with shop.client() as client:
            until(lambda: client.get(f"/v1/customers/{EMAIL}/facts")["total"] == 0, 30, "the first rows empty")
        shop.restart()
    told, _ = asked.communicate(timeout=120)
    receipt: dict[str, Any] = json.loads(told.splitlines()[-1])
    assert receipt["complete"], receipt
    return receipt


@pytest.mark.parametrize("killing", [False, True])
def test_no_file_says_who_it_was_and_no_number_moves(shop: Shop, killing: bool) -> None:
    with shop.client() as client:
        client.send(OTHERS)
        for sent in PERSON:
            client.send([sent])
        client.settled()
    shop.comment()
    before = shop.numbers()
    exported = json.dumps(shop.export(), ensure_ascii=False)
    assert [mark for mark in MARKS if mark not in exported] == []
    assert in_files(shop.installation.data, MARKS)

    begun = time.monotonic()
    receipt = erased(shop, killing=killing)
    assert killing or time.monotonic() - begun < MOST_SECONDS
    assert in_files(shop.installation.data, MARKS) == []
    assert is_genuine(receipt, receipt["signature"]["public_key"])
    assert {one["state"] for one in receipt["stores"]} <= {"erased", "rewritten", "never", "elsewhere"}
    after = shop.export()
    assert (after["facts"], after["history"], set(after["contact"].values())) == ([], [], {None})
    assert shop.numbers() == before

    with shop.client() as client:  # late, and once more
        client.send(PERSON[:1])
        client.send(PERSON)
    assert shop.numbers() == before
    assert shop.export()["facts"] == []
    assert in_files(shop.installation.data / "postgres", MARKS) == []
    assert shop.server.terminate() == 0
    complaints = shop.installation.complaints()
    assert "log_recreated" not in complaints
    assert not [mark for mark in MARKS if mark in complaints]
