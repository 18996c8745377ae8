"""A batch is read in a few calls, and never as anything else than record by record."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consumer.messages import Letter, read_record
from shared.consumer.reading import read_records
from shared.log.port import NewRecord, Partition, Record
from tests.builders import activity, answer, retraction, session

GOOD = [answer("f1", 3, text="Za późno"), answer("f2", 9, 1), retraction("f1"), session("s1"), session("s2", 4)]
PIECES = [b"", b"{", b"}", b'{"a":', b"1}", b"\n", b"{}", b"{}{}", b"{}\n{}", b"[", b"]", b'"', b" ", b"{}\r", b"null"]
broken = st.one_of(
    st.none(),
    st.lists(st.sampled_from(PIECES), max_size=4).map(b"".join),
    # Whole events, cut in two, or two of them in one.
    st.builds(
        lambda record, at: (record.value or b"")[:at], st.sampled_from(GOOD), st.integers(1, len(GOOD[1].value or b""))
    ),
    st.builds(lambda record, at: (record.value or b"")[at:], st.sampled_from(GOOD), st.integers(1, 200)),
    st.builds(lambda one, two: (one.value or b"") + (two.value or b""), st.sampled_from(GOOD), st.sampled_from(GOOD)),
)


def placed(new: NewRecord, offset: int) -> Record:
    return Record(Partition(new.topic, 0), offset, new.key, new.value)


@given(st.lists(st.one_of(st.sampled_from(GOOD), broken.map(lambda value: NewRecord("petla.feedback", b"", value)))))
def test_reads_what_each_record_says(sent: list[NewRecord]) -> None:
    records = [placed(new, offset) for offset, new in enumerate(sent)]
    assert list(read_records(records)) == [read_record(record) for record in records]


def test_reads_good_records_of_all_types() -> None:
    read = read_records([placed(new, offset) for offset, new in enumerate(GOOD)])
    assert [item.event.type.split(".")[1] for item in read if not isinstance(item, Letter)] == [
        "received", "updated", "retracted", "ended", "ended",
    ]  # fmt: skip


def test_a_message_that_is_asked_for_twice_is_the_same_object() -> None:
    """Handlers tell by that whether it was changed."""
    read = read_records([placed(new, offset) for offset, new in enumerate(GOOD[:2])])
    assert all(one is other for one, other in zip(read, read, strict=True))
    assert read[1] is list(read)[1]
    assert list(read[1:]) == list(read)[1:]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(lambda a, b: [a + b, b""], id="two in one and none in the next"),
        pytest.param(lambda a, b: [a + b"\n" + b, b""], id="two lines in one"),
        pytest.param(lambda a, b: [a + b, *halves(b)], id="two in one and one in two"),
        pytest.param(lambda a, b: [a, b"", b], id="an empty one"),
    ],
)
def test_values_that_would_make_as_many_events_together_are_told_apart(values: object) -> None:
    made = values(GOOD[0].value, GOOD[1].value)  # type: ignore[operator]
    records = [Record(Partition("petla.feedback", 0), offset, b"", value) for offset, value in enumerate(made)]
    read = read_records(records)
    assert any(isinstance(item, Letter) for item in read)
    assert list(read) == [read_record(record) for record in records]


def halves(value: bytes) -> list[bytes]:
    """Of an event, so that the first ends with a brace and is no whole one."""
    at = value.index(b"}")
    return [value[: at + 1], value[at + 1 :]]


@pytest.mark.parametrize("score", [11, -1, 2.5, None])
def test_an_answer_that_its_own_check_refuses_is_set_aside_alone(score: float | None) -> None:
    bad = json.loads(GOOD[0].value or b"")
    bad["data"]["score"] = score
    records = [placed(new, offset) for offset, new in enumerate([GOOD[1], activity_of(bad), GOOD[3]])]
    assert [item.reason if isinstance(item, Letter) else "" for item in read_records(records)] == ["", "invalid", ""]


@pytest.mark.parametrize("scale", [{}, {"scale_min": 0.0}], ids=["none", "half"])
def test_a_scale_that_was_left_out_is_filled_in_also_beside_others(scale: dict[str, float]) -> None:
    bare = json.loads(GOOD[0].value or b"")
    bare["data"] = {"metric": "nps", "score": 3.0, **scale}
    records = [placed(new, offset) for offset, new in enumerate([GOOD[1], activity_of(bare)])]
    answers = [item.data for item in read_records(records) if not isinstance(item, Letter)]
    assert [(one.scale_min, one.scale_max) for one in answers] == [(0.0, 10.0), (0.0, 10.0)]


def activity_of(event: dict[str, object]) -> NewRecord:
    return NewRecord("petla.feedback", b"key", json.dumps(event).encode())


def test_a_type_on_the_wrong_topic_is_set_aside() -> None:
    lost = activity("order.placed.v1", "o1", order_id="o1")._replace(topic="petla.feedback")
    records = [placed(new, offset) for offset, new in enumerate([lost, GOOD[0]])]
    assert [getattr(item, "reason", "") for item in read_records(records)] == ["wrong_topic", ""]
