"""Rules: which event a row is, and with which fields. Shared by everything whose rows become events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.ingest.mapping.expressions import Expression, ExpressionError
from services.ingest.mapping.functions import Functions
from services.ingest.mapping.interpreter import Interpreter
from services.ingest.mapping.sections import Section

Compile = Callable[[str], Expression]
MOST_RULES = 100


class RowError(ValueError):
    """A row that gives no events: `field` as a path (`data.score`, `id`, `when`) and what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Rule:
    """`when` is absent: always. `fields` go to `data`; `attributes` (`time`, `revision`) beside it."""

    emit: str
    id: Expression
    when: Expression | None
    attributes: tuple[tuple[str, Expression], ...]
    fields: tuple[tuple[str, Expression], ...]


def compile_rules(section: Section, event_types: Sequence[str], compile_expression: Compile) -> tuple[Rule, ...]:
    """The list under `rules`. Raises `MappingError`."""
    listed = section.sections("rules")
    if len(listed) > MOST_RULES:
        raise section.mistake("rules", f"{len(listed)} rules: at most {MOST_RULES}")
    return tuple(_compile_rule(rule, event_types, compile_expression) for rule in listed)


def events(rules: Sequence[Rule], functions: Functions, scope: Mapping[str, Any], source: str) -> list[dict[str, Any]]:
    """One event of every rule whose `when` holds, in the order of the rules. Raises `RowError`: then none."""
    interpreter = Interpreter(functions)
    return [_event(rule, interpreter, scope, source) for rule in rules if _holds(rule, interpreter, scope)]


def _compile_rule(section: Section, event_types: Sequence[str], compile_expression: Compile) -> Rule:
    section.expect(required=("emit", "id", "map"), optional=("when", "time", "revision"))
    expressions = {
        name: section.expression(name, compile_expression)
        for name in ("when", "id", "time", "revision")
        if section.has(name)
    }
    fields = section.section("map")
    return Rule(
        emit=section.choice("emit", event_types, "event type"),
        id=expressions["id"],
        when=expressions.get("when"),
        attributes=tuple((name, expressions[name]) for name in ("time", "revision") if name in expressions),
        fields=tuple((name, fields.expression(name, compile_expression)) for name in fields.names()),
    )


def _holds(rule: Rule, interpreter: Interpreter, scope: Mapping[str, Any]) -> bool:
    return rule.when is None or interpreter.is_true(_value("when", rule.when, interpreter, scope))


def _event(rule: Rule, interpreter: Interpreter, scope: Mapping[str, Any], source: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": _identifier(_value("id", rule.id, interpreter, scope)),
        "source": source,
        "type": rule.emit,
    }
    for name, expression in rule.attributes:
        value = _value(name, expression, interpreter, scope)
        if value is not None:
            event[name] = value
    event["data"] = _data(rule, interpreter, scope)
    return event


def _data(rule: Rule, interpreter: Interpreter, scope: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: _value(f"data.{name}", expression, interpreter, scope) for name, expression in rule.fields}
    return {name: _named(name, value) for name, value in values.items() if value is not None}


def _named(field: str, value: Any) -> Any:
    """Ids are strings on the wire; JSON files often hold them as numbers."""
    names_something = field == "customer" or field.endswith("_id")
    return _spelled(value) if names_something and _is_number(value) else value


def _identifier(value: Any) -> str:
    if _is_number(value):
        return _spelled(value)
    if isinstance(value, str) and value:
        return value
    raise RowError("id", "the id is empty or no text: build it from columns that every row has")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _spelled(number: float) -> str:
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _value(field: str, expression: Expression, interpreter: Interpreter, scope: Mapping[str, Any]) -> Any:
    try:
        return expression.value(interpreter, scope)
    except ExpressionError as error:
        raise RowError(field, str(error)) from None
