"""What an import answers: exit codes, the last line, the error file."""

import httpx
import pytest

from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla, busy


def test_all_rows_are_accepted(importing: Import) -> None:
    importing.rows("1,5,2026-11-01,Dobrze", "2,skip,,", "3,1,2026-11-02,")
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert importing.counts == {"rows": 3, "sent": 2, "accepted": 2, "ignored": 1, "rejected": 0}
    fixed = {"specversion": "1.0", "source": "/csv", "type": "feedback.received.v1"}
    assert petla.events == [
        fixed
        | {"id": "1", "time": "2026-11-01T00:00:00+01:00"}
        | {"data": {"metric": "rating", "score": 5, "text": "Dobrze"}},
        fixed | {"id": "3", "time": "2026-11-02T00:00:00+01:00"} | {"data": {"metric": "rating", "score": 1}},
    ]
    (request,) = petla.requests
    assert str(request.url) == "http://petla/v1/events"
    assert request.headers["Authorization"] == "Bearer petla_k_s"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert "Content-Encoding" not in request.headers
    assert importing.left() == set()


def test_rejected_rows_stand_in_the_error_file_in_their_order(importing: Import) -> None:
    importing.rows("1,9,2026-11-01,", "2,nine,2026-11-01,", "3,5,2026-11-01,", "4,5,yesterday,", "5,5", "6,7,,")
    assert importing.run(FakePetla()) == 1
    assert importing.counts == {"rows": 6, "sent": 3, "accepted": 1, "ignored": 0, "rejected": 5}
    errors = importing.errors()
    assert [(error["row"], error["field"]) for error in errors] == [
        (1, "data.score"),
        (2, "data.score"),
        (4, "time"),
        (5, None),
        (6, "data.score"),
    ]
    assert errors[0]["message"] == "9 is above scale_max 5"
    assert "'nine'" in errors[1]["message"]
    assert "2 cells" in errors[3]["message"]
    assert importing.left() == {"rows.csv.errors.jsonl", "rows.csv.errors.csv"}


def test_none_accepted_is_still_an_answer(importing: Import) -> None:
    importing.rows("1,9,,", "2,8,,")
    assert importing.run(FakePetla()) == 1
    assert importing.counts == {"rows": 2, "sent": 2, "accepted": 0, "ignored": 0, "rejected": 2}


def test_an_error_file_of_an_earlier_run_does_not_stay(importing: Import) -> None:
    importing.rows("1,9,,")
    assert importing.run(FakePetla()) == 1
    importing.rows("1,8,,")
    assert importing.run(FakePetla()) == 1
    assert [error["message"] for error in importing.errors()] == ["8 is above scale_max 5"]
    importing.rows("1,5,,")
    assert importing.run(FakePetla()) == 0
    assert importing.left() == set()


@pytest.mark.parametrize("rows", [[], [""]])
def test_a_file_without_rows_is_imported(importing: Import, rows: list[str]) -> None:
    (importing.folder / "rows.csv.errors.jsonl").write_text("old")
    importing.rows(*rows)
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert importing.counts == {"rows": 0, "sent": 0, "accepted": 0, "ignored": 0, "rejected": 0}
    assert (petla.requests, importing.left()) == ([], set())


def test_a_finished_import_starts_from_the_first_row_again(importing: Import) -> None:
    importing.rows("1,5,,", "2,4,,")
    petla = FakePetla()
    for _ in range(2):
        assert importing.run(petla) == 0
        assert importing.counts["accepted"] == 2
    assert petla.events[:2] == petla.events[2:]


def test_busy_servers_are_waited_for(importing: Import) -> None:
    importing.rows("1,5,,")
    later = {"Date": "Fri, 20 Nov 2026 10:00:00 GMT", "Retry_After": "Fri, 20 Nov 2026 10:00:09 GMT"}
    waits = [busy(503, Retry_After="7"), busy(429, Retry_After="0"), busy(503, **later), busy(503), busy(429)]
    petla = FakePetla(*waits, *[busy(503, Retry_After="1")] * 500)
    assert importing.run(petla) == 0
    assert importing.slept[:5] == [7.0, 0.5, 9.0, 4.0, 8.0]
    assert importing.slept[5:] == [1.0] * 500
    assert importing.counts == {"rows": 1, "sent": 1, "accepted": 1, "ignored": 0, "rejected": 0}


@pytest.mark.parametrize(
    ("interlude", "word"),
    [
        (401, "key"),
        (403, "events:write"),
        (404, "--url"),
        (415, "because"),
        (httpx.ConnectError("connection refused"), "connection refused"),
        (httpx.ConnectTimeout("timed out"), "--url"),
        (lambda _: httpx.Response(200, html="<p>another server</p>"), "not Pętla's"),
        (lambda _: httpx.Response(202, json={"ok": True}), "not Pętla's"),
        (lambda _: httpx.Response(202, json={"items": []}), "not Pętla's"),
    ],
)
def test_a_wrong_start_sends_nothing(importing: Import, interlude: int | Exception, word: str) -> None:
    importing.rows("1,5,,")
    (importing.folder / "rows.csv.errors.jsonl").write_text("of an earlier run")
    assert importing.run(FakePetla(interlude)) == 2
    assert "nothing was sent" in importing.stderr
    assert word in importing.stderr
    assert importing.slept == []
    assert importing.left() == {"rows.csv.errors.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"key": None}, "PETLA_API_KEY"),
        ({"key": ""}, "PETLA_API_KEY"),
        ({"key": "petla_ż"}, "copy it again"),
        ({"key": "a\nb"}, "copy it again"),
        ({"url": "petla:8080"}, "http://127.0.0.1:8080"),
        ({"url": "127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ({"url": "ftp://petla"}, "http://127.0.0.1:8080"),
        ({"url": "http://[::1"}, "http://127.0.0.1:8080"),
        ({"url": ""}, "http://127.0.0.1:8080"),
    ],
)
def test_a_wrong_argument_sends_nothing(importing: Import, arguments: dict[str, str], word: str) -> None:
    importing.rows("1,5,,")
    petla = FakePetla()
    assert importing.run(petla, **arguments) == 2
    assert word in importing.stderr
    assert petla.requests == []


def test_a_wrong_mapping_is_told_with_file_and_line(importing: Import) -> None:
    importing.rows("1,5,,")
    importing.mapping.write_text('rules:\n  - emit: feedback.received.v1\n    id: "join("\n')
    assert importing.run(FakePetla()) == 2
    assert f"{importing.mapping}:1: " in importing.stderr
    importing.mapping.write_text('ce_source: /s\nrules:\n  - emit: order.placed.v1\n    id: "join("\n    map: {a: a}\n')
    assert importing.run(FakePetla()) == 2
    assert f"{importing.mapping}:4: id: not JMESPath" in importing.stderr
    importing.mapping.write_bytes(b"ce_source: /s\n# \xb3\n")
    assert importing.run(FakePetla()) == 2
    assert f"{importing.mapping}:2: not UTF-8" in importing.stderr
    importing.mapping.unlink()
    assert importing.run(FakePetla()) == 2
    assert f"{importing.mapping} cannot be read" in importing.stderr


def test_a_missing_file_sends_nothing(importing: Import) -> None:
    assert importing.run(FakePetla()) == 2
    assert "rows.csv is not a file" in importing.stderr


def test_batches_stay_below_the_limits(importing: Import) -> None:
    importing.rows(*(f"{number},5,," for number in range(1, 1202)))
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert [len(request.content.splitlines()) for request in petla.requests] == [500, 500, 201]
    importing.rows(*(f"{number},5,,{'ż' * 100_000}" for number in range(1, 41)))
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert len(petla.events) == 40
    assert all(len(request.content) <= 4_500_000 for request in petla.requests)
    assert len(petla.requests) == 2


def test_an_event_that_is_too_large_is_a_rejected_row(importing: Import) -> None:
    importing.rows(f"1,5,,{'x' * 300_000}", "2,5,,")
    assert importing.run(FakePetla()) == 1
    (error,) = importing.errors()
    assert (error["row"], error["field"]) == (1, "data")
    assert "262144 is the most" in error["message"]


def test_a_read_only_folder_leaves_the_files_in_the_working_folder(importing: Import) -> None:
    importing.rows(*(f"{number},9,," for number in range(501)))
    importing.folder.chmod(0o555)
    petla = FakePetla(FakePetla().accept, 401)
    assert importing.run(petla) == 3
    assert {path.name for path in importing.elsewhere.iterdir()} == {"rows.csv.errors.jsonl", "rows.csv.progress.json"}
    assert importing.run(FakePetla()) == 1
    importing.folder.chmod(0o755)
    assert importing.left() == set()
    assert len(importing.errors(importing.elsewhere)) == 501


def test_no_writable_folder_sends_nothing(importing: Import) -> None:
    importing.rows("1,5,,")
    for folder in (importing.folder, importing.elsewhere):
        folder.chmod(0o555)
    assert importing.run(FakePetla()) == 2
    assert "writable" in importing.stderr
    for folder in (importing.folder, importing.elsewhere):
        folder.chmod(0o755)
