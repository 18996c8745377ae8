"""Rules applied to a row or a delivery: the events that it is, in bounded time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.ingest.mapping.expressions import Expression, ExpressionError
from services.ingest.mapping.interpreter import NUMBERS, Interpreter
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.rules import Context, Ignore, Rule

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


class Applied(NamedTuple):
    """What one rule made: `holds` says whether its `when` did, `ignored` why nothing (or not all) was emitted."""

    holds: bool
    events: tuple[dict[str, Any], ...] = ()
    errors: tuple[RowError, ...] = ()
    ignored: tuple[str, ...] = ()


_NOTHING = Applied(holds=False)


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
    interpreter = Interpreter()
    for rule in rules:
        applied = _applied(rule, interpreter, context, scope) if _may_hold(rule, scope) else _NOTHING
        yield applied
        if isinstance(rule, Ignore) and applied.holds:
            return


def _may_hold(rule: Rule | Ignore, scope: Mapping[str, Any]) -> bool:
    """Most rules of a sender are about others of its deliveries: a look tells, without an evaluation."""
    if rule.when is not None:
        for name in rule.when.needed:
            if scope.get(name) is None:
                return False
    return True


def _applied(rule: Rule | Ignore, interpreter: Interpreter, context: Context, scope: Mapping[str, Any]) -> Applied:
    try:
        if not _holds("when", rule.when, interpreter, scope):
            return _NOTHING
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
            if kind is rule.emit or kind in context.event_types:  # a type that a rule names was looked at with it
                made.append(_event(rule, kind, interpreter, context, scope))
            else:
                ignored.append(UNKNOWN_TYPE)
        except RowError as error:
            errors.append(error)
    return Applied(True, tuple(made), tuple(errors), tuple(ignored))


def _items(rule: Rule, interpreter: Interpreter, scope: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if rule.foreach is None:
        return [scope]
    found = value_of("foreach", rule.foreach, interpreter, scope, as_part=True)
    if found is None:
        return []
    if not isinstance(found, list):
        raise RowError("foreach", "gives no list: name one, or wrap the value as [value]")
    if len(found) > MOST_ITEMS:
        raise RowError("foreach", f"{len(found)} items: at most {MOST_ITEMS}")
    return [{**scope, "item": item, "_index": index} for index, item in enumerate(found, start=1)]


def _holds(name: str, condition: Expression | None, interpreter: Interpreter, scope: Mapping[str, Any]) -> bool:
    try:
        return condition is None or condition.holds(interpreter, scope)
    except ExpressionError as error:
        raise RowError(name, str(error)) from None


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
            event["revision"] = whole(value)
    event["data"] = _data(rule.fields, interpreter, scope)
    return event


def whole(value: Any) -> Any:
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
        values = _each(fields, interpreter, scope)
    else:
        values = value_of("data", fields, interpreter, scope)
        if not isinstance(values, dict):
            raise RowError("data", "the map gives no object: name one, or list the fields one by one")
    return {
        name: spelled(value) if type(value) in NUMBERS and is_name(name) else value
        for name, value in values.items()
        if value is not None and value != ""
    }


def is_name(field: str) -> bool:
    return field in _NAMES or field.endswith("_id")


def _each(
    fields: tuple[tuple[str, Expression], ...], interpreter: Interpreter, scope: Mapping[str, Any]
) -> dict[str, Any]:
    values, name = {}, ""
    try:
        for name, expression in fields:
            values[name] = expression.value(interpreter, scope)
    except ExpressionError as error:
        raise RowError(f"data.{name}", str(error)) from None
    return values


def _identifier(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    if type(value) in NUMBERS:
        return spelled(value)
    raise RowError("id", "the id is empty or no text: build it from what every row has")


def value_of(
    field: str, expression: Expression, interpreter: Interpreter, scope: Mapping[str, Any], *, as_part: bool = False
) -> Any:
    """Raises `RowError` for `field`."""
    try:
        return expression.value(interpreter, scope, as_part=as_part)
    except ExpressionError as error:
        raise RowError(field, str(error)) from None
