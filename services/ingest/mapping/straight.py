"""The rules of a document as one Python function, for deliveries that are as nearly all are.

It gives what `apply` gives of the same delivery, at a quarter of the cost, or it raises what an expression may: then
`apply` is to be asked, which says what is wrong, if anything. It never costs more than `apply` may.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from services.ingest.mapping.applying import is_name, whole
from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.functions import Functions
from services.ingest.mapping.interpreter import CHARACTERS_A_UNIT, ROW_BUDGET
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.reading import Parts, is_object
from services.ingest.mapping.rules import Context, Ignore, Rule
from services.ingest.mapping.straight_nodes import Nodes
from services.ingest.mapping.writing import UnwritableError, Value, Writing

BUDGET = ROW_BUDGET * CHARACTERS_A_UNIT
_BESIDE = {
    "headers": Value("headers", "headers"),
    "query": Value("request.query", "any"),
    "_body_sha256": Value("request.body_sha256", "text"),
    "_index": Value("1", "number"),
}


class Mapped(NamedTuple):
    """`named` is what `idempotency` gives; `events` and the reason of the `ignore` that held, as rules make them."""

    named: Any
    events: list[dict[str, Any]]
    ignored: str | None


# What the decoder made of the body, the request with its headers, and the events' `source`.
Straight = Callable[[Any, Any, str], Mapped]


def straight(
    rules: Sequence[Rule | Ignore],
    context: Context,
    idempotency: Expression | None,
    functions: Functions,
    parts: Parts,
) -> Straight | None:
    """None where there is something in the document that nobody has written yet. `parts` are all that it reads."""
    if not is_object(parts):
        return None
    writing = Writing()
    try:
        _Rules(writing, Nodes(writing, functions, Value("root", "object", parts), _BESIDE), context).write(
            rules, idempotency
        )
        return compile_written(writing)
    except (UnwritableError, SyntaxError):  # Python knows no more than 20 loops in each other
        return None


def compile_written(writing: Writing) -> Straight:
    source = "\n".join(["def mapped(root, request, source, left=BUDGET):", *writing.lines, ""])
    known: dict[str, Any] = {**writing.constants, "BUDGET": BUDGET, "Mapped": Mapped}
    exec(compile(source, "<a document's rules>", "exec"), known)  # no text of a document stands in it
    mapped: Straight = known["mapped"]
    return mapped


class _Rules:
    def __init__(self, writing: Writing, nodes: Nodes, context: Context) -> None:
        self._writing = writing
        self._nodes = nodes
        self._revision = context.revision

    def write(self, rules: Sequence[Rule | Ignore], idempotency: Expression | None) -> None:
        writing = self._writing
        writing.line("events, headers = [], request.headers")
        with writing.charged():
            named = self._nodes.result(idempotency.tree).code if idempotency else "None"
            writing.line(f"named = {named}")
        for rule in rules:
            with writing.charged(), writing.unchanged_depth():
                self._rule(rule)
        writing.line("if left < 0: raise UnfitError")
        writing.line("return Mapped(named, events, None)")

    def _rule(self, rule: Rule | Ignore) -> None:
        if rule.when is not None:
            self._nodes.when(rule.when.tree)
        if isinstance(rule, Ignore):
            self._writing.line(f"return Mapped(named, events, {self._writing.constant(rule.reason)})")
            return
        if rule.foreach is not None or not isinstance(rule.emit, str) or not isinstance(rule.fields, tuple):
            raise UnwritableError
        if rule.where is not None:
            self._nodes.when(rule.where.tree)
        self._event(rule, rule.emit, rule.fields)

    def _event(self, rule: Rule, kind: str, fields: Sequence[tuple[str, Expression]]) -> None:
        event = self._writing.name()
        name = self._identifier(rule.id)
        emitted = self._writing.constant(kind)
        self._writing.line(f'{event} = {{"specversion": "1.0", "id": {name}, "source": source, "type": {emitted}}}')
        for attribute, expression in rule.attributes:
            self._put(event, attribute, self._nodes.result(expression.tree))
        if (revision := rule.revision or self._revision) is not None:
            self._put_revision(event, self._nodes.result(revision.tree))
        data = self._writing.name()
        self._writing.line(f'{event}["data"] = {data} = {{}}')
        for field, expression in fields:
            self._put(data, field, self._nodes.result(expression.tree), spelled_out=is_name(field))
        self._writing.line(f"events.append({event})")

    def _identifier(self, expression: Expression) -> str:
        found = self._writing.named(self._nodes.result(expression.tree))
        name = found.code
        if found.kind != "text":
            spell = self._writing.constant(spelled)
            name = self._writing.named(Value(f"({name} if type({name}) is str else {spell}({name}))", "text")).code
        self._writing.line(f"if not {name}: raise UnfitError")
        return name

    def _put_revision(self, event: str, value: Value) -> None:
        found = self._writing.named(value).code
        with self._writing.block(f"if {found} is not None"):
            convert = self._writing.constant(whole)
            self._writing.line(f'{event}["revision"] = {found} if type({found}) is int else {convert}({found})')

    def _put(self, target: str, name: str, value: Value, spelled_out: bool = False) -> None:
        """Nulls are left out; what names something is text."""
        found, key = self._writing.named(value).code, self._writing.constant(name)
        if spelled_out and value.kind in ("any", "number", "constant"):
            spell = self._writing.constant(spelled)
            self._writing.line(f"if type({found}) is str: {target}[{key}] = {found}")
            self._writing.line(
                f"elif type({found}) is int or type({found}) is float: {target}[{key}] = {spell}({found})"
            )
            self._writing.line(f"elif {found} is not None: {target}[{key}] = {found}")
        else:
            self._writing.line(f"if {found} is not None: {target}[{key}] = {found}")
