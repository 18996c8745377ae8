"""Rules: which events a row or a delivery is, and with which fields. Shared by everything that is mapped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.ingest.mapping.expressions import Expression, ExpressionError
from services.ingest.mapping.functions import Functions
from services.ingest.mapping.interpreter import Interpreter
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.sections import Section

Compile = Callable[[str], Expression]
MOST_RULES = 100
MOST_ITEMS = 1_000
UNKNOWN_TYPE = "unknown_type"
# Fields that name something are text on the wire; JSON payloads often hold them as numbers.
_NAMES = frozenset(("customer", "product", "store", "agent", "team", "segment", "campaign"))


class RowError(ValueError):
    """A row that gives no events: `field` as a path (`data.score`, `id`, `when`) and what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Rule:
    """`when` is absent: always. `fields` go to `data`; `attributes` (`time`, `source`) and `revision` beside it.

    `emit` is an event type, or the expression that names one. `foreach` gives the items, each an event of its own.
    """

    emit: str | Expression
    id: Expression
    when: Expression | None
    foreach: Expression | None
    where: Expression | None
    attributes: tuple[tuple[str, Expression], ...]
    revision: Expression | None
    fields: Expression | tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Ignore:
    """Where `when` holds nothing is emitted, and no later rule is looked at."""

    reason: str
    when: Expression | None


@dataclass(frozen=True)
class Applied:
    """What one rule made: `holds` says whether its `when` did, `ignored` why nothing (or not all) was emitted."""

    holds: bool
    events: tuple[dict[str, Any], ...] = ()
    errors: tuple[RowError, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What the rules of a document share. `revision` is that of rules which have none of their own."""

    functions: Functions
    source: str
    event_types: frozenset[str]
    revision: Expression | None = None


def compile_rules(
    section: Section, event_types: Sequence[str], compile_expression: Compile
) -> tuple[Rule | Ignore, ...]:
    """The list under `rules`. Raises `MappingError`."""
    listed = section.sections("rules")
    if len(listed) > MOST_RULES:
        raise section.mistake("rules", f"{len(listed)} rules: at most {MOST_RULES}")
    return tuple(_compile_rule(rule, event_types, compile_expression) for rule in listed)


def events(rules: Sequence[Rule | Ignore], context: Context, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events of every rule whose `when` holds, in the order of the rules. Raises `RowError`: then none."""
    found: list[dict[str, Any]] = []
    for applied in apply(rules, context, scope):
        if applied.errors:
            raise applied.errors[0]
        found += applied.events
    return found


def apply(rules: Sequence[Rule | Ignore], context: Context, scope: Mapping[str, Any]) -> Iterator[Applied]:
    """One after the other, on one budget of work; it ends behind an `ignore` that holds."""
    interpreter = Interpreter(context.functions)
    for rule in rules:
        applied = _applied(rule, interpreter, context, scope)
        yield applied
        if isinstance(rule, Ignore) and applied.holds:
            return


def _applied(rule: Rule | Ignore, interpreter: Interpreter, context: Context, scope: Mapping[str, Any]) -> Applied:
    try:
        if not _holds("when", rule.when, interpreter, scope):
            return Applied(holds=False)
        if isinstance(rule, Ignore):
            return Applied(holds=True, ignored=(rule.reason,))
        items = _items(rule, interpreter, scope)
    except RowError as error:
        return Applied(holds=True, errors=(error,))
    return _all_of(rule, items, interpreter, context)


def _all_of(rule: Rule, items: Sequence[Mapping[str, Any]], interpreter: Interpreter, context: Context) -> Applied:
    """One item at fault does not cost the others."""
    made: list[dict[str, Any]] = []
    errors: list[RowError] = []
    ignored: list[str] = []
    for scope in items:
        try:
            if not _holds("where", rule.where, interpreter, scope):
                continue
            kind = _type(rule.emit, interpreter, scope)
            if kind in context.event_types:
                made.append(_event(rule, kind, interpreter, context, scope))
            else:
                ignored.append(UNKNOWN_TYPE)
        except RowError as error:
            errors.append(error)
    return Applied(True, tuple(made), tuple(errors), tuple(ignored))


def _items(rule: Rule, interpreter: Interpreter, scope: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if rule.foreach is None:
        return [scope]
    found = value_of("foreach", rule.foreach, interpreter, scope)
    if found is None:
        return []
    if not isinstance(found, list):
        raise RowError("foreach", "gives no list: name one, or wrap the value as [value]")
    if len(found) > MOST_ITEMS:
        raise RowError("foreach", f"{len(found)} items: at most {MOST_ITEMS}")
    return [{**scope, "item": item, "_index": index} for index, item in enumerate(found, start=1)]


def _compile_rule(section: Section, event_types: Sequence[str], compile_expression: Compile) -> Rule | Ignore:
    def expression(name: str) -> Expression | None:
        return section.expression(name, compile_expression) if section.has(name) else None

    if section.has("ignore"):
        section.expect(required=("ignore",), optional=("when",))
        return Ignore(section.text("ignore"), expression("when"))
    section.expect(required=("emit", "id", "map"), optional=("when", "foreach", "where", "time", "revision", "source"))
    attributes = [(name, expression(name)) for name in ("time", "source")]
    return Rule(
        emit=_compile_emit(section, event_types, compile_expression),
        id=section.expression("id", compile_expression),
        when=expression("when"),
        foreach=expression("foreach"),
        where=expression("where"),
        attributes=tuple((name, found) for name, found in attributes if found is not None),
        revision=expression("revision"),
        fields=_compile_map(section, compile_expression),
    )


def _compile_emit(section: Section, event_types: Sequence[str], compile_expression: Compile) -> str | Expression:
    if isinstance(section.content.value["emit"].value, dict):
        choice = section.section("emit")
        choice.expect(required=("from",), optional=())
        return choice.expression("from", compile_expression)
    return section.choice("emit", event_types, "event type")


def _compile_map(section: Section, compile_expression: Compile) -> Expression | tuple[tuple[str, Expression], ...]:
    if isinstance(section.content.value["map"].value, str):
        return section.expression("map", compile_expression)
    fields = section.section("map")
    return tuple((name, fields.expression(name, compile_expression)) for name in fields.names())


def _holds(name: str, condition: Expression | None, interpreter: Interpreter, scope: Mapping[str, Any]) -> bool:
    return condition is None or interpreter.is_true(value_of(name, condition, interpreter, scope))


def _type(emit: str | Expression, interpreter: Interpreter, scope: Mapping[str, Any]) -> str:
    if isinstance(emit, str):
        return emit
    kind = value_of("emit", emit, interpreter, scope)
    return kind if isinstance(kind, str) else ""


def _event(
    rule: Rule, kind: str, interpreter: Interpreter, context: Context, scope: Mapping[str, Any]
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": _identifier(value_of("id", rule.id, interpreter, scope)),
        "source": context.source,
        "type": kind,
    }
    for name, expression in rule.attributes:
        value = value_of(name, expression, interpreter, scope)
        if value is not None:
            event[name] = value
    if (revision := rule.revision or context.revision) is not None:
        value = value_of("revision", revision, interpreter, scope)
        if value is not None:
            event["revision"] = _whole(value)
    event["data"] = _data(rule.fields, interpreter, scope)
    return event


def _whole(value: Any) -> Any:
    """A revision that is written as text or as 3.0; what is no whole number is refused by name where it is read."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
        return int(value)
    return value


def _data(
    fields: Expression | tuple[tuple[str, Expression], ...], interpreter: Interpreter, scope: Mapping[str, Any]
) -> dict[str, Any]:
    if isinstance(fields, tuple):
        values = {name: value_of(f"data.{name}", expression, interpreter, scope) for name, expression in fields}
    else:
        values = value_of("data", fields, interpreter, scope)
        if not isinstance(values, dict):
            raise RowError("data", "the map gives no object: name one, or list the fields one by one")
    return {name: _named(name, value) for name, value in values.items() if value is not None}


def _named(field: str, value: Any) -> Any:
    names_something = field in _NAMES or field.endswith("_id")
    return spelled(value) if names_something and _is_number(value) else value


def _identifier(value: Any) -> str:
    if _is_number(value):
        return spelled(value)
    if isinstance(value, str) and value:
        return value
    raise RowError("id", "the id is empty or no text: build it from what every row has")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_of(field: str, expression: Expression, interpreter: Interpreter, scope: Mapping[str, Any]) -> Any:
    """Raises `RowError` for `field`."""
    try:
        return expression.value(interpreter, scope)
    except ExpressionError as error:
        raise RowError(field, str(error)) from None
