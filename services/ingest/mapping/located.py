"""YAML in which every value knows its line, so that a mistake can be pointed at.

Built from ruamel's node graph, not from its objects: no tag constructs anything, an alias is refused (aliases of
aliases grow without bound), a duplicate key is refused.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LONGEST_DOCUMENT = 256 * 1024
_DEEPEST = 20
_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}


class MappingError(ValueError):
    """A mistake in a mapping document; reads `FILE:LINE: what is wrong: what to do`.

    `code` is its kind, for whoever says it in another language.
    """

    def __init__(self, file: str, line: int, reason: str, *, code: str = "document") -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.code = code
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Located:
    """A value of the document: a JSON scalar, a list of `Located`, or a dict of text to `Located`."""

    file: str
    line: int
    value: Any
    key_lines: dict[str, int] = field(default_factory=dict)

    def mistake(self, reason: str) -> MappingError:
        return MappingError(self.file, self.line, reason)

    def mistake_at(self, key: str, reason: str) -> MappingError:
        return MappingError(self.file, self.key_lines[key], reason)

    def plain(self) -> Any:
        """The value without lines, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value


def read_yaml(text: str, file: str) -> Located:
    """Raises `MappingError` for what is not one YAML document of plain values."""
    if len(text) > LONGEST_DOCUMENT:
        raise MappingError(
            file, 1, f"{len(text)} characters: a mapping has at most {LONGEST_DOCUMENT}, make it shorter"
        )
    try:
        _check_events(text, file)
        root = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "not YAML"
        raise MappingError(file, mark.line + 1 if mark else 1, f"not YAML: {reason}", code="not_yaml") from None
    except YAMLError as error:
        raise MappingError(file, 1, f"not YAML: {str(error).splitlines()[0]}", code="not_yaml") from None
    if root is None:
        reason = "the mapping is empty: write at least ce_source and rules"
        raise MappingError(file, 1, reason, code="empty_document")
    return _locate(root, file)


def suggest(wrong: str, known: Collection[str]) -> str:
    """`did you mean X?` for a near miss, otherwise the whole list."""
    near = difflib.get_close_matches(wrong[:100], known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _check_events(text: str, file: str) -> None:
    """Before the whole is composed: ruamel needs quadratic time on nested brackets, and recurses."""
    depth = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            raise MappingError(file, line, "an alias (*name) stands here: write the value out")
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            depth += 1
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise MappingError(file, line, f"nested deeper than {_DEEPEST} levels: a mapping needs five")


def _locate(node: Node, file: str) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, MappingNode):
        return _locate_mapping(node, file, line)
    if isinstance(node, SequenceNode):
        return Located(file, line, [_locate(item, file) for item in node.value])
    return Located(file, line, _scalar(str(node.tag).removeprefix(_TAG), _text_of(node), file, line))


def _text_of(node: Node) -> str:
    """Where lines of a text under `>` were folded, ruamel leaves a mark, to write them back as they were."""
    return str(node.value).replace("\a", "") if getattr(node, "style", None) == ">" else str(node.value)


def _locate_mapping(node: MappingNode, file: str, line: int) -> Located:
    values: dict[str, Located] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise MappingError(file, key_line, "a key must be plain text")
        key = str(key_node.value)
        if key in values:
            raise MappingError(file, key_line, f"{key!r} stands here twice (first in line {lines[key]}): keep one")
        values[key] = _locate(value_node, file)
        lines[key] = key_line
    return Located(file, line, values, lines)


def _scalar(kind: str, text: str, file: str, line: int) -> Any:
    if kind == "str":
        return text
    if kind == "null":
        return None
    try:
        if kind == "bool":
            return _BOOLEANS[text.lower()]
        if kind == "int":
            return int(text, 0)
        if kind == "float":
            return float(text)
    except (KeyError, ValueError):
        pass
    raise MappingError(file, line, f"{text[:40]!r} is not text, a number, true, false or null: put it in quotes")
