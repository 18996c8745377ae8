"""`petla sources check` says what would become of a delivery, from files alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import services.__main__ as command
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, signature

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs_as_before: None
) -> Run:
    """In a folder with a document, a payload and its headers; the exit code and what was printed."""
    content = json.dumps(BODY).encode()
    (tmp_path / "repairs.yaml").write_text(REPAIRS)
    (tmp_path / "payload.json").write_bytes(content)
    (tmp_path / "headers.json").write_text(json.dumps({"X-Repair-Signature": f"sha256={signature(content)}"}))
    (tmp_path / "headers.txt").write_text(f"X-Repair-Signature: sha256={signature(content)}\n\n")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["petla", "sources", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return call


CHECK = ("check", "repairs.yaml", "--payload", "payload.json")


@pytest.mark.parametrize("headers", ["headers.json", "headers.txt"])
def test_a_delivery_is_explained(run: Run, headers: str) -> None:
    code, out, _ = run(*CHECK, "--headers", headers, "--secret", SECRET, "--json")
    told = json.loads(out)
    assert (code, told["verified"], [event["id"] for event in told["events"]]) == (0, True, ["4711-q1", "4711-q2"])
    assert SECRET not in out


def test_for_people_it_says_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PETLA_SOURCE_REPAIRS_SECRET", SECRET)
    code, out, _ = run(*CHECK, "--headers", "headers.txt")
    assert code == 0
    for words in ("ok    hmac sha256: matches", "the sender's", "2. feedback.received.v1: 2 events", "4711-q2"):
        assert words in out
    assert SECRET not in out


def test_a_wrong_signature_is_exit_1_and_no_secret_is_not(run: Run) -> None:
    code, out, _ = run(*CHECK, "--headers", "headers.txt", "--secret", "wrong")
    assert (code, "NOT the sender's" in out) == (1, True)
    code, out, _ = run(*CHECK)
    assert (code, "not looked at: that takes --headers and a secret" in out) == (0, True)


def test_a_rule_that_fails_is_exit_1(run: Run) -> None:
    Path("payload.json").write_text(json.dumps({**BODY, "changed": "x"}))
    code, out, _ = run(*CHECK)
    assert code == 1
    assert "FAIL  revision: milliseconds() cannot read this" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("check", "none.yaml", "--payload", "payload.json"), "none.yaml cannot be read"),
        (("check", "repairs.yaml", "--payload", "none.json"), "none.json cannot be read"),
        ((*CHECK, "--headers", "payload.json"), None),
        ((*CHECK, "--headers", "prose.txt"), "JSON object"),
        (("check", "payload.json", "--payload", "payload.json"), "payload.json:"),
        (("check", "repairs.yaml"), "--payload"),
    ],
)
def test_a_mistake_of_the_call_is_one_sentence(run: Run, words: tuple[str, ...], sentence: str | None) -> None:
    Path("prose.txt").write_text("these are no headers")
    code, _, err = run(*words)
    if sentence is None:
        assert code == 0
        return
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err


def test_a_built_in_source_is_named_without_a_file(run: Run) -> None:
    Path("payload.json").write_text('{"type": "order.cancelled.v1", "id": "c-1", "data": {"order_id": 7}}')
    code, out, _ = run("check", "generic", "--payload", "payload.json", "--json")
    told = json.loads(out)
    assert (code, told["events"][0]["data"]) == (0, {"order_id": "7"})
