"""An answer that is decoded in one pass is the record, or the refusal, that it would be in two."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.ingest.admission import Admitted, admit, admit_answers, admit_document
from services.ingest.sent_event import answer_from, from_document
from shared.events.fields import EventError
from tests.ingest.running import ARRIVAL, answer, event


def outcome(document: bytes, *, in_one_pass: bool) -> Admitted | tuple[str, str, str]:
    try:
        if in_one_pass:
            return admit_document(document, True, "shop", ARRIVAL, "a-trace")
        return admit(from_document(document), "shop", ARRIVAL, "a-trace")
    except EventError as error:
        return error.field, error.code, error.message


def changed(**attributes: Any) -> bytes:
    return msgspec.json.encode({**answer(1), **attributes})


ANSWER = msgspec.json.encode(answer(1))
TAKEN = [
    ANSWER,
    changed(time=None, revision=None),
    changed(revision=3),
    changed(type="feedback.updated.v1", revision=2, data={"metric": "nps", "score": -0.0, "feedback_id": "f-1"}),
    changed(time=ARRIVAL + timedelta(hours=24)),
    changed(unknown={"deep": [[1], {"a": 2}]}, data={"metric": "csat", "score": 3, "mood": None}),
    changed(data={"metric": "comment", "text": "Żółw"}),
    ANSWER.replace(b'"data":', b'"data":{"metric":"nps","score":1},"data":'),
    ANSWER[:-1] + b',"type":"feedback.received.v1"}',
    b" " + ANSWER + b"\t",
]
REFUSED = [
    changed(specversion="0.3"),
    changed(id=""),
    changed(source=None),
    changed(type="feedback.imagined.v1"),
    changed(time=ARRIVAL + timedelta(hours=25)),
    changed(time="2026-11-20T10:00:00"),
    changed(revision=-1),
    changed(type="feedback.updated.v1"),
    changed(type="feedback.updated.v1", revision=0, data={"metric": "nps", "score": 3, "feedback_id": "f-1"}),
    changed(data={"metric": "nps", "score": 11}),
    changed(data={"metric": "mood"}),
    changed(data=None),
    changed(unknown=msgspec.Raw(b"[" * 40 + b"]" * 40)),
    ANSWER[:-1],
    ANSWER + ANSWER,
    changed(data={"metric": "comment", "text": "x" * 262_144}),
]


@pytest.mark.parametrize("document", TAKEN)
def test_the_same_record(document: bytes) -> None:
    assert answer_from(document) is not None
    taken = outcome(document, in_one_pass=True)
    assert isinstance(taken, Admitted)
    assert taken == outcome(document, in_one_pass=False)


@pytest.mark.parametrize("document", REFUSED)
def test_the_same_refusal(document: bytes) -> None:
    refused = outcome(document, in_one_pass=True)
    assert isinstance(refused, tuple)
    assert refused == outcome(document, in_one_pass=False)


def test_what_is_no_answer_goes_the_longer_way() -> None:
    document = msgspec.json.encode(event("order.placed.v1", "e-1"))
    assert answer_from(document) is None
    assert outcome(document, in_one_pass=True) == outcome(document, in_one_pass=False)


def test_a_moment_in_another_offset_is_the_same_moment() -> None:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert outcome(changed(time=at), in_one_pass=True) == outcome(
        changed(time="2026-11-20T09:00:00Z"), in_one_pass=False
    )


def both_ways(documents: list[bytes]) -> tuple[list[Admitted] | None, list[Admitted | tuple[str, str, str]]]:
    together = admit_answers(b"\n".join(documents), documents, "shop", ARRIVAL, "a-trace")
    one_by_one = [outcome(document, in_one_pass=False) for document in documents]
    if together is None:
        return None, one_by_one
    return [Admitted("feedback", key, value, fact) for fact, key, value in zip(*together, strict=True)], one_by_one


def test_many_at_once_are_the_same_records() -> None:
    elsewhere = [changed(source=f"/{name}", id=name) for name in ("till", "app", "Żółw")]
    together, apart = both_ways([*elsewhere, *(document + b"\r\n" for document in TAKEN if b"deep" not in document)])
    assert together == apart


@pytest.mark.parametrize("document", REFUSED)
def test_one_that_is_refused_sends_all_the_longer_way(document: bytes) -> None:
    together, apart = both_ways([ANSWER, document, ANSWER])
    assert together is None
    assert isinstance(apart[1], tuple)


def test_what_is_nested_too_deep_cannot_hide_among_others() -> None:
    deep = changed(unknown=msgspec.Raw(b"[" * 32 + b"]" * 32))
    assert both_ways([ANSWER] * 50 + [deep])[0] is None
