"""A mistake in a source's document is told with its line and field; what editors complete is what is taken."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from services.ingest.mapping import MappingError, compile_mapping
from services.ingest.mapping.functions import OWN
from services.ingest.mapping.located import read_yaml
from services.ingest.sources import FOLDER, SCHEMA
from services.ingest.webhooks.document import SourceDocument, compile_source
from shared.events.catalogue import ACCEPTED_TYPES, SOURCE_TYPES
from tests.ingest.webhooks.doors import BODY, REPAIRS

ROOT = Path(__file__).parents[3]
BUILT_IN = sorted(path.stem for path in FOLDER.glob("*.yaml"))
README = (ROOT / "docs" / "sources" / "README.md").read_text(encoding="utf-8")


def compiled(text: str) -> SourceDocument:
    return compile_source(text, "s.yaml", ACCEPTED_TYPES)


MISTAKES = [
    # what is replaced, by what, the line, words of the sentence
    ("otherwise: ignore", "otherwize: ignore", 36, ["no key 'otherwize'", "did you mean otherwise?"]),
    ("otherwise: ignore", "otherwise: drop", 36, ["'drop' is unknown"]),
    ("source: repairs", "source: Repair Shop", 1, ["source", "'Repair Shop'"]),
    ("source: repairs\n", "", 1, ["the document has no source", "add `source: …`"]),
    ("version: 1", "version: 0", 2, ["version must be at least 1"]),
    ("version: 1", "version: 1000", 2, ["version must be at most 999"]),
    ("version: 1", "version: '1'", 2, ["version must be a whole number"]),
    ("scheme: hmac", "scheme: hmca", 4, ["scheme of verify", "did you mean hmac?"]),
    ("scheme: hmac", "scheme: none", 4, ["'none' is unknown"]),
    ("scheme: hmac", "scheme: token", 5, ["token signs nothing", "remove encoding"]),
    ("scheme: hmac", "scheme: digest", 4, ["a digest is made over the secret too"]),
    ("  encoding: hex\n", "", 4, ["verify has no encoding: hmac needs it"]),
    ("  header: x-repair-signature\n", "", 4, ["verify has no header"]),
    ("header: x-repair-signature", "header: 'x repair'", 6, ["header of verify"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  signed: "{bdoy}"', 8, ["there is no {bdoy}", "known are body"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  signed: "x"', 8, ["the body is not signed"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  signed: "{timestamp}{body}"', 8, ["needs a `timestamp:`"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  signed: "{secret}{body}"', 8, ["as its key", "remove {secret}"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  signed: "{body"', 8, ["a brace stands alone"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  timestamp: {unit: seconds}', 8, ["either a `header`, or a `field`"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  timestamp: {unit: hours, header: x}', 8, ["'hours' is unknown"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  secret: {value: abc}', 8, ["no key 'value'", "known are encoding"]),
    ('prefix: "sha256="', 'prefix: "sha256="\n  timestamp: {unit: seconds, field: t}', 8, ["several `signatures`"]),
    ("when: \"event == 'hello'\"", "verified: true", 9, ["a handshake by POST needs a `when`"]),
    ("{text: challenge}", "{text: 'a ='}", 10, ["text", "not JMESPath"]),
    ("{text: challenge}", "{txt: challenge}", 10, ["no key 'txt'"]),
    ("{text: challenge}", "{status: 302}", 10, ["status of answer must be at most 299"]),
    ("method: HEAD", "method: PUT", 14, ["'PUT' is unknown"]),
    ("text(repair.number)", "txt(repair.number)", 16, ["idempotency", "no function txt()", "did you mean"]),
    ("milliseconds(changed)", "milliseconds(changed, event)", 17, ["revision", "takes 1 argument, not 2"]),
    ("ignore: internal_note", "ignore: Internal Note", 22, ["ignore of rules"]),
    ("ignore: internal_note", "ignore: internal_note\n    emit: order.placed.v1", 23, ["no key 'emit'"]),
    ("emit: feedback.received.v1", "emit: feedback.recieved.v1", 26, ["did you mean feedback.received.v1?"]),
    ("emit: feedback.received.v1", "emit: feedback.scored.v1", 26, ["is unknown"]),
    ("emit: feedback.received.v1", "emit: {form: a}", 26, ["no key 'form'"]),
    ("emit: feedback.received.v1", "emit: activity.retracted.v1", 26, ["is unknown"]),
    ("    emit: feedback.received.v1\n", "", 23, ["has no emit"]),
    ("foreach: answers", "foreach: [answers]", 24, ["foreach of rules must be text"]),
    ("      score: item.stars", "      score: 5", 31, ["score of map must be text"]),
    ("      score: item.stars", "      score: \"lookup('towns', item)\"", 31, ["no table 'towns'"]),
    ("      score: item.stars", "      score: " + "(" * 2_500 + "a", 31, ["score of map", "at most 2000 characters"]),
    ("topics: {q1: repair, q2: counter}", "topics: q1", 19, ["topics of tables must be keys and values"]),
    ("topics: {q1: repair, q2: counter}", "topics: {q1: *x}", 19, ["alias"]),
    ("rules:", "rules: []\nabout:", 20, ["rules must have at least 1 entries"]),
    ("version: 1", "version: 1\nversion: 2", 3, ["stands here twice"]),
    ("version: 1", "\tversion: 1", 2, ["not YAML"]),
    ("version: 1", "timezone: Europe/Warszawa", 2, ["no time zone"]),
    ("version: 1", "body: xml", 2, ["'xml' is unknown: known are json, form, cloudevents"]),
    ("version: 1", "body: {form_filed: a}", 2, ["no key 'form_filed'"]),
    ("version: 1", "answer: {media: 'text/html\\r\\nX: y'}", 2, ["media of answer"]),
]


@pytest.mark.parametrize(("right", "wrong", "line", "words"), MISTAKES)
def test_a_mistake_is_told_with_its_line(right: str, wrong: str, line: int, words: list[str]) -> None:
    assert right in REPAIRS
    with pytest.raises(MappingError) as refused:
        compiled(REPAIRS.replace(right, wrong, 1))
    sentence = str(refused.value)
    assert sentence.startswith(f"s.yaml:{line}: "), sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    "text", ["", "a", "- a", "[" * 100_000, "a: &x [*x]", "? [a]\n: b", "x" * 300_000, "!!python/object:os.system {}"]
)
def test_what_is_no_document_is_one_sentence(text: str) -> None:
    with pytest.raises(MappingError) as refused:
        compiled(text)
    assert "\n" not in str(refused.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["source", "verify", "rules", "scheme", "when", "emit", "map", "handshake", "answer", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_any_document_is_taken_or_told(content: Any) -> None:
    with pytest.raises(MappingError):
        compiled(json.dumps(content))


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_is_named_as_its_file_and_keeps_to_the_schema(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    document = compile_source(text, f"{name}.yaml", ACCEPTED_TYPES)
    assert document.name == name
    assert document.about
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(read_yaml(text, name).plain())


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_has_a_page(name: str) -> None:
    assert (ROOT / "docs" / "sources" / f"{name}.md").exists()


def test_the_schema_is_one_and_names_every_type() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["event_type"]["enum"] == [*ACCEPTED_TYPES, *SOURCE_TYPES]


def test_the_documents_tell_of_every_function_and_every_key() -> None:
    told = set(re.findall(r"[a-z_]+", README))
    schema = json.loads(SCHEMA.read_text("utf-8"))
    keys = (
        set(schema["properties"])
        | set(schema["$defs"]["scheme"]["properties"])
        | set(schema["$defs"]["rule"]["properties"])
    )
    assert not (set(OWN) | keys) - told - {"format"}


def test_the_example_of_the_documents_does_what_they_say() -> None:
    example = README.split("```yaml\nsource: repairs")[1].split("```")[0]
    document = compiled("source: repairs" + example)
    assert (document.name, len(document.rules)) == ("repairs", 2)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda path: path.name)
def test_mappings_of_files_keep_to_their_schema(path: Path) -> None:
    sources = Resource.from_contents(json.loads(SCHEMA.read_text("utf-8")))
    schema = json.loads((FOLDER / "import.schema.json").read_text("utf-8"))
    validator = Draft202012Validator(schema, registry=Registry().with_resource("schema.json", sources))
    validator.validate(read_yaml(path.read_text(encoding="utf-8"), path.name).plain())


def test_a_sources_document_maps_files_to_the_same_facts() -> None:
    document = compile_mapping(REPAIRS.replace("version: 1", "version: 3"), "s.yaml", ACCEPTED_TYPES)
    made = document.events({**BODY, "_row": 1})
    assert [(event["id"], event["source"], event["revision"]) for event in made] == [
        ("4711-q1", "/repairs", 1_795_165_200_000_003),
        ("4711-q2", "/repairs", 1_795_165_200_000_003),
    ]
    with pytest.raises(MappingError, match="version must be a whole number from 1 to 999"):
        compile_mapping(REPAIRS.replace("version: 1", "version: 1000"), "s.yaml", ACCEPTED_TYPES)
