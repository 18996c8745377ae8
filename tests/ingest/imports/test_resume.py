"""An import that stopped goes on where it stopped, and its totals are those of the whole file."""

import json
import os

import httpx
import pytest

from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla

WHOLE = {"rows": 1200, "sent": 1200, "accepted": 1194, "ignored": 0, "rejected": 6}


def prepare(importing: Import) -> None:
    """1,200 rows in three batches; six rows are rejected by the server, two a batch."""
    importing.rows(*(f"{number},{9 if number % 200 == 0 else 5},," for number in range(1, 1201)))


def stop_after_one_batch(importing: Import, *interludes: Exception | int) -> FakePetla:
    prepare(importing)
    petla = FakePetla()
    petla.interludes = [petla.accept, *interludes]
    assert importing.run(petla) == 3
    assert "run it again" in importing.stderr
    assert importing.counts == {"rows": 500, "sent": 500, "accepted": 498, "ignored": 0, "rejected": 2}
    return petla


def test_a_server_that_dies_is_asked_for_a_minute_then_the_import_stops_and_later_goes_on(importing: Import) -> None:
    stop_after_one_batch(importing, *[httpx.ConnectError("refused")] * 100)
    assert 60 <= sum(importing.slept) < 75
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert importing.counts == WHOLE
    assert [event["id"] for event in petla.events[:1]] == ["501"]
    assert [error["row"] for error in importing.errors()] == [200, 400, 600, 800, 1000, 1200]
    assert importing.left() == {"rows.csv.errors.jsonl", "rows.csv.errors.csv"}


def test_a_short_outage_is_bridged(importing: Import) -> None:
    prepare(importing)
    petla = FakePetla()
    petla.interludes = [petla.accept, httpx.ReadTimeout("slow"), 502, httpx.RemoteProtocolError("gone"), 500]
    assert importing.run(petla) == 1
    assert importing.counts == WHOLE
    assert importing.slept == [0.5, 1.0, 2.0, 4.0]


def test_a_first_answer_that_is_lost_is_asked_for_again(importing: Import) -> None:
    prepare(importing)
    assert importing.run(FakePetla(httpx.ReadError("reset"))) == 1
    assert importing.counts == WHOLE


@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_a_refusal_in_the_middle_stops_on_the_way(importing: Import, status: int) -> None:
    stop_after_one_batch(importing, status)
    assert importing.run(FakePetla()) == 1
    assert importing.counts == WHOLE


def test_an_interruption_stops_on_the_way(importing: Import) -> None:
    prepare(importing)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    importing.sleep = interrupt
    petla = FakePetla()
    petla.interludes = [petla.accept, httpx.ConnectError("refused")]
    assert importing.run(petla) == 3
    assert "run it again" in importing.stderr
    assert importing.run(FakePetla()) == 1
    assert importing.counts == WHOLE


def test_a_stop_keeps_the_place_also_within_a_second(importing: Import) -> None:
    prepare(importing)
    petla = FakePetla()
    petla.interludes = [petla.accept, petla.accept, 401]
    assert importing.run(petla) == 3
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert (importing.counts, len(petla.requests)) == (WHOLE, 1)


def test_a_second_start_without_a_server_keeps_the_place(importing: Import) -> None:
    stop_after_one_batch(importing, 401)
    assert importing.run(FakePetla(httpx.ConnectError("refused"))) == 2
    assert importing.run(FakePetla(401)) == 2
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert (importing.counts, len(petla.requests)) == (WHOLE, 2)


@pytest.mark.parametrize("changed", ["file", "mapping", "url", "checkpoint", "errors"])
def test_another_import_starts_from_its_first_row(importing: Import, changed: str) -> None:
    stop_after_one_batch(importing, 401)
    url = "http://petla"
    if changed == "file":
        os.utime(importing.file, ns=(1, 1))
    elif changed == "mapping":
        importing.mapping.write_text(importing.mapping.read_text() + "\n# changed\n")
    elif changed == "url":
        url = "http://other"
    elif changed == "checkpoint":
        (importing.folder / "rows.csv.progress.json").write_text("{broken")
    else:
        (importing.folder / "rows.csv.errors.jsonl").unlink()
    petla = FakePetla()
    assert importing.run(petla, url=url) == 1
    assert (importing.counts, len(petla.requests)) == (WHOLE, 3)
    assert len(importing.errors()) == 6


def test_lines_of_rows_that_come_again_are_not_written_twice(importing: Import) -> None:
    stop_after_one_batch(importing, 401)
    with (importing.folder / "rows.csv.errors.jsonl").open("a") as file:
        for row in range(501, 530):
            file.write(json.dumps({"row": row, "field": None, "message": "killed before the checkpoint"}) + "\n")
    assert importing.run(FakePetla()) == 1
    assert [error["row"] for error in importing.errors()] == [200, 400, 600, 800, 1000, 1200]


def test_a_killed_import_leaves_a_checkpoint_of_settled_batches(importing: Import) -> None:
    prepare(importing)

    class Killed(BaseException):
        pass

    def kill(_: float) -> None:
        raise Killed

    importing.sleep = kill
    petla = FakePetla()
    petla.interludes = [petla.accept, 503]
    with pytest.raises(Killed):
        importing.run(petla)
    importing.sleep = importing.slept.append
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert (importing.counts, len(petla.requests)) == (WHOLE, 2)
