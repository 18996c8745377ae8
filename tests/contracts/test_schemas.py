"""docs/schemas is what the structs say: nobody has to remember to write it again."""

import json
from pathlib import Path

import pytest

from shared.events.catalogue import TYPES
from shared.events.schemas import as_text, schemas, write

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_schemas_in_the_docs_are_current() -> None:
    expected = {name: as_text(schema) for name, schema in schemas().items()}
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == expected, "run: python -m shared.events.schemas"


def test_writing_leaves_no_schema_of_a_type_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "feedback.forgotten.v1.json").write_text("{}")
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"event.json", *(f"{name}.json" for name in TYPES)}


def test_a_schema_says_what_an_answer_needs() -> None:
    answer = json.loads(as_text(schemas()["feedback.received.v1.json"]))
    assert answer["title"] == "feedback.received.v1"
    assert answer["x-topic"] == "feedback"
    struct = answer["$defs"][answer["$ref"].rsplit("/", 1)[-1]]
    assert struct["required"] == ["metric"]
    assert set(struct["properties"]["metric"]["enum"]) == {"nps", "csat", "ces", "rating", "recommend", "comment"}


@pytest.mark.parametrize("name", ["sent", "emitted"])
def test_every_field_of_an_example_is_in_its_schema(name: str) -> None:
    found = schemas()
    for path in (Path(__file__).parent / name).iterdir():
        schema = found[path.name]
        struct = schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        data = json.loads(path.read_text(encoding="utf-8"))["data"]
        assert data.keys() <= struct["properties"].keys(), path.name
        assert set(struct["required"]) <= data.keys(), path.name
