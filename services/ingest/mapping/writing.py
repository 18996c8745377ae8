"""Python that is written for a document: lines, constants, and what running them costs.

No text of a document stands in what is written: names are made here, and whatever a document says is a constant beside
it. `left` counts down from a budget in sixteenths of the `Interpreter`'s units, and never slower than that would.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from services.ingest.mapping.interpreter import CHARACTERS_A_UNIT, Interpreter
from services.ingest.mapping.reading import Each, Parts, is_object

_NODE = 4  # units a node costs at the most, beside what it reads
_MOST_LINES = 5_000  # the largest of ours has 300; to compile so many takes a tenth of a second
_SCALARS = frozenset(("text", "number", "bool", "constant"))


class UnwritableError(Exception):
    """What nobody has written yet: it is asked node by node."""


class UnfitError(ValueError):
    """A value that is not as nearly all are: it is asked node by node, which says what is wrong, if anything."""


class Value(NamedTuple):
    """`code` gives it, without an effect. `kind`: `any` JSON; `object` and `list` as the decoder made them of `parts`,
    or null; `made` here, of parts that are paid for; `text`, `number`, `bool`, or null; `constant`.
    """

    code: str
    kind: str
    parts: Parts = None

    @property
    def is_scalar(self) -> bool:
        return self.kind in _SCALARS


def part(of: Value, name: str) -> Value:
    """A field of an object that the decoder made; `webhooks/bodies.py` names its attributes so."""
    assert is_object(of.parts)
    return _of_parts(f"{of.code}._{list(of.parts).index(name)}", of.parts[name])


def element(code: str, listed: Value) -> Value:
    return _of_parts(code, listed.parts.element if isinstance(listed.parts, Each) else None)


def _of_parts(code: str, parts: Parts) -> Value:
    if isinstance(parts, Each):
        return Value(code, "list", parts)
    return Value(code, "object", parts) if is_object(parts) else Value(code, "any")


class Writing:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {"UnfitError": UnfitError, "weight": weight}
        self._constant_names: dict[tuple[type, Any] | int, str] = {}
        self._known: list[dict[str, str]] = [{}]  # in each block around here: what a name was given to
        self._payments: list[dict[str, tuple[int, int]]] = [{}]  # of a name: its line, and how many times over
        self._names = 0
        self._units = 0

    @property
    def _depth(self) -> int:
        return len(self._known)

    def line(self, text: str) -> None:
        if len(self.lines) >= _MOST_LINES:
            raise UnwritableError
        self.lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        with self.unchanged_depth():
            self.deeper(head)
            yield

    def deeper(self, head: str) -> None:
        """A block that ends where the one around it does."""
        self.line(f"{head}:")
        self._known.append({})
        self._payments.append({})

    @contextmanager
    def unchanged_depth(self) -> Iterator[None]:
        depth = self._depth
        yield
        del self._known[depth:], self._payments[depth:]

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def constant(self, value: Any) -> str:
        own = (type(value), value) if isinstance(value, str | int | float) else id(value)
        name = self._constant_names.setdefault(own, f"k{len(self._constant_names)}")
        self.constants[name] = value
        return name

    def costs(self, units: int = _NODE) -> None:
        self._units += units

    @contextmanager
    def charged(self, times: str = "") -> Iterator[None]:
        """What is written inside is paid for before it runs, `times` over."""
        outer, self._units = self._units, 0
        at, indent = len(self.lines), "    " * self._depth
        self.lines.append("")
        yield
        charge = f"{self._units * CHARACTERS_A_UNIT}{times and f' * {times}'}"
        self.lines[at] = f"{indent}if (left := left - {charge}) < 0: raise UnfitError"
        self._units = outer

    def named(self, value: Value) -> Value:
        """The same, in a local name: it is looked at several times."""
        if value.code.isidentifier() or value.kind == "constant":
            return value
        name = next((known[value.code] for known in self._known if value.code in known), None)
        if name is None:
            name = self._known[-1][value.code] = self.name()
            self.line(f"{name} = {value.code}")
        return value._replace(code=name)

    def paid(self, value: Value) -> Value:
        """As `Interpreter.pay_for`: who reads a value pays for all of it."""
        self.costs()
        if value.kind in ("object", "list"):
            raise UnwritableError
        if value.kind not in ("any", "text"):
            return value
        value = self.named(value)
        self._pay(value.code, value.kind == "text")
        return value

    def _pay(self, name: str, is_text: bool) -> None:
        """Whoever pays again for what has a name pays where it was paid for first."""
        around = next((block for block in self._payments if name in block), self._payments[-1])
        at, times = around.get(name, (len(self.lines), 0))
        around[name] = at, times + 1
        indent = "    " * self._depth if not times else self.lines[at].partition("if")[0]
        over = f"{times + 1} * " if times else ""
        if is_text:
            pay = f"if {name} is not None: left -= {over}len({name})"
        else:
            pay = f"if type({name}) is str: left -= {over}len({name})\n{indent}"
            pay += f"elif {name} is not None and type({name}) is not int: left -= {over}weight({name}, left)"
        self.lines[at : at + (times > 0)] = [indent + pay]


def weight(value: Any, left: int) -> int:
    work = Interpreter(before := left // CHARACTERS_A_UNIT)
    work.pay_for(value)
    return (before - work.left) * CHARACTERS_A_UNIT
