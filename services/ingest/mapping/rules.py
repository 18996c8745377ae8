"""Rules, compiled: when they hold, which event they emit, and with which fields. Shared by rows and deliveries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.sections import Section

Compile = Callable[[str], Expression]
MOST_RULES = 100


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

    @property
    def expressions(self) -> tuple[Expression, ...]:
        fields = tuple(one for _, one in self.fields) if isinstance(self.fields, tuple) else (self.fields,)
        attributes = tuple(one for _, one in self.attributes)
        some = (self.emit, self.id, self.when, self.foreach, self.where, self.revision, *attributes, *fields)
        return tuple(one for one in some if isinstance(one, Expression))


@dataclass(frozen=True)
class Ignore:
    """Where `when` holds nothing is emitted, and no later rule is looked at."""

    reason: str
    when: Expression | None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return (self.when,) if self.when is not None else ()


@dataclass(frozen=True)
class Context:
    """What the rules of a document share. `revision` is that of rules which have none of their own."""

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
