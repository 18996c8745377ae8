"""A body of which only some fields are wanted is read, and refused, as one that is read whole."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.mapping.reading import Each, Parts
from services.ingest.webhooks.bodies import read_json, reader_of
from shared.events.fields import EventError
from tests.ingest.mapping.test_reading import restricted

read = reader_of({"a": None, "b-c": None})
DEEPEST = b"[" * 31 + b"]" * 31  # in an object


def outcome(reading: Any, body: bytes) -> Any:
    try:
        found = reading(body)
    except EventError as error:
        return error.code, str(error)
    return {name: found.get(name) for name in ("a", "b-c")} if isinstance(found, dict) else found


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"a": 1, "b-c": {"d": [1, 2.0, null]}, "e": {"f": "g"}}',
        b'{"a": 1, "a": 2}',
        '{"\\u0061": "Łódź \\ud83d\\ude00"}'.encode(),
        b'{"a": 9007199254740993, "z": 18446744073709551615}',
        *(b'{"a": 1, "z": ' + DEEPEST + b"}", b'{"a": ' + DEEPEST + b"}"),
        b'{"a": "[[", "z": "' + b"[" * 40 + b'"}',
        b'{"z": "\\"' + b"[{" * 40 + b'", "a": "\\\\"}',
        b'{"z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        *(b"[1]", b"null", b'"a"', b"7", b"", b" ", b"{", b"{}}", b'{"a": 1,}', b'{"z": tru}', b'{"z": NaN}'),
        *(b'{"z": "\\ud800"}', b'{"z\\ud800": 1}', b'{"z": "\\ud800\\u0041"}', b'{"z": "\x01"}', b'{"z": "\\x"}'),
        *(b'{"z": "\xff"}', b'{"z\xff": 1}', b'\xef\xbb\xbf{"a": 1}', b"\xff\xfe{\x00}\x00", b'{"z": 01}'),
        *(b'{"a": 1e999}', b'{"a": ' + b"9" * 500 + b"}"),
    ],
)
def test_it_is_read_as_the_whole_is(body: bytes) -> None:
    assert outcome(read, body) == outcome(read_json, body)


@pytest.mark.parametrize("number", [b"1e999", b"9" * 500])
def test_a_number_that_nobody_reads_may_be_of_any_size(number: bytes) -> None:
    assert outcome(read, b'{"a": 1, "z": ' + number + b"}") == {"a": 1, "b-c": None}


@pytest.mark.parametrize("name", ["a", "z"])
def test_how_deep_a_field_is_nested_is_told_where_an_event_holds_it(name: str) -> None:
    """In test_judging; here only what nothing could hold is refused."""
    nested = b"[" * 200 + b"]" * 200
    assert outcome(read, b'{"%b": %b}' % (name.encode(), nested)) == {
        "a": msgspec.json.decode(nested) if name == "a" else None,
        "b-c": None,
    }
    assert outcome(read, b'{"%b": %b}' % (name.encode(), b"[" * 100_000 + b"]" * 100_000))[0] == "too_deep"


TEXT = st.text(alphabet='[]{}"\\,:aŁ\u0000 ', max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("a"), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.dictionaries(TEXT | st.sampled_from(["a", "b-c"]), VALUES, max_size=4), st.integers(0, 30), st.booleans())
@example({"z": "]}"}, 30, True)
def test_any_object_is_read_as_the_whole_is(body: dict[str, Any], levels: int, read_there: bool) -> None:
    nested: Any = "["
    for _ in range(levels):
        nested = [nested] if levels % 2 else {'"': nested}
    document = msgspec.json.encode({**body, "a" if read_there else "deep": nested})
    assert outcome(read, document) == outcome(read_json, document)


@pytest.mark.parametrize(
    "parts", [None, {"a": None, "root": None}, {"item": {"a": None}}, Each({"a": None}), {}, {"a": None, '"z': None}]
)
def test_what_may_be_asked_for_as_a_whole_is_read_whole(parts: Parts) -> None:
    assert reader_of(parts)(b'{"a": 1, "z": 2}') == {"a": 1, "z": 2}


INSIDE: Parts = {"a": {"x": None, "y": {"x": None}}, "b-c": Each({"x": None})}
read_inside = reader_of(INSIDE)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": {"x": 1, "z": 2, "y": {"x": [3], "z": 4}}}', {"a": {"x": 1, "y": {"x": [3]}}, "b-c": None}),
        ('{"b-c": [{"x": 1, "z": 2}, null, {}]}', {"a": None, "b-c": [{"x": 1}, None, {"x": None}]}),
        ('{"a": {"x": 9007199254740993, "y": null}}', {"a": {"x": 9007199254740993, "y": None}, "b-c": None}),
    ],
)
def test_of_what_stands_inside_only_what_is_read_is_made(body: str, expected: Any) -> None:
    assert read_inside(body.encode()) == expected


@pytest.mark.parametrize(
    "value", ["7", '"x"', "[]", "[7]", "[[{}]]", '{"z": 1}', "true", '{"y": 7}', '{"y": [{"x": 1}]}']
)
@pytest.mark.parametrize("name", ["a", "b-c"])
def test_what_is_of_another_kind_is_made_whole(name: str, value: str) -> None:
    body = f'{{"{name}": {value}}}'.encode()
    kinds = {"a": '{"z": 1}', "b-c": "[]"}
    assert value == kinds[name] or read_inside(body) == read(body)


INNER: st.SearchStrategy[Any] = st.sampled_from([1, "x", None, [], {}])
VALUES_INSIDE = st.recursive(
    INNER,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["a", "b-c", "z"]), VALUES_INSIDE, max_size=3))
def test_any_object_is_read_so_that_its_parts_are_the_same(body: dict[str, Any]) -> None:
    found, whole = read_inside(msgspec.json.encode(body)), restricted(body, INSIDE)
    assert restricted(found, INSIDE) == whole
