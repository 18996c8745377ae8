"""JMESPath's nodes as Python that is written: straight lines where `nodes` makes functions that call each other.

What they mean is what `nodes` says, or an exception: a value that is not as nearly all are is left to it.
"""

from collections.abc import Callable
from typing import Any

from services.ingest.mapping.comparing import compare
from services.ingest.mapping.functions import OWN, Functions
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.writing import UnwritableError, Value, Writing, element, part

_NULL = Value("None", "constant")
_TEXTS = ("text", "join", "lower", "upper", "mask", "strip_html", "date", "parse_time", "from_epoch")
_NUMBERS = ("milliseconds", "seconds_between", "number", "scale")
_GIVES = dict.fromkeys(_TEXTS, "text") | dict.fromkeys(_NUMBERS, "number") | dict.fromkeys(("minor", "total"), "made")
_SMALL = 5  # units of an amount with its currency


class Nodes:
    """`beside` are the values that expressions see beside the fields of the body."""

    def __init__(self, writing: Writing, functions: Functions, root: Value, beside: dict[str, Value]) -> None:
        self.writing = writing
        self._functions = functions
        self._root = root
        self._beside = beside

    def result(self, node: Any) -> Value:
        """Of a whole expression, paid for."""
        return self.writing.paid(self.value(node, self._root))

    def when(self, node: Any) -> None:
        """What is written next runs where the expression holds."""
        if node["type"] == "and_expression":
            for child in node["children"]:
                self.when(child)
        else:
            self.writing.deeper(f"if {self.truth(self.value(node, self._root))}")

    def truth(self, value: Value) -> str:
        """As JMESPath has it: 0 is true."""
        if value.kind == "number":
            return f"({value.code}) is not None"
        if value.kind == "any":
            code = self.writing.named(value).code
            return f"({code} or type({code}) is int or type({code}) is float)"
        if value.kind in ("object", "list", "constant"):
            raise UnwritableError
        return f"({value.code})"

    def value(self, node: Any, scope: Value) -> Value:
        """`node` as jmespath's parser makes it, asked of `scope`. Raises `UnwritableError`."""
        self.writing.costs()
        write = _WRITERS.get(node["type"])
        if write is None:
            raise UnwritableError
        return write(self, node, scope)

    def _field(self, node: Any, scope: Value) -> Value:
        name = node["value"]
        if scope is self._root and name in self._beside:
            return self._beside[name]
        if scope.kind == "object":
            whole = self.writing.named(scope)
            read = part(whole, name)
            return (
                read if scope is self._root else read._replace(code=f"(None if {whole.code} is None else {read.code})")
            )
        if scope.kind == "headers":
            return Value(f"{scope.code}.get({self.writing.constant(name)})", "any")
        if scope.kind == "any":
            whole = self.writing.named(scope)
            there = f"type({whole.code}) is dict"
            return Value(f"({whole.code}.get({self.writing.constant(name)}) if {there} else None)", "any")
        if scope.is_scalar:
            return _NULL
        raise UnwritableError

    def _sequence(self, node: Any, scope: Value) -> Value:
        for child in node["children"]:
            scope = self.value(child, scope)
        return scope

    def _index(self, node: Any, scope: Value) -> Value:
        at = node["value"]
        if scope.kind not in ("any", "list", "made"):
            raise UnwritableError
        listed, least = self.writing.named(scope), -at if at < 0 else at + 1
        there = f"type({listed.code}) is list and {least:d} <= len({listed.code})"
        return element(f"({listed.code}[{at:d}] if {there} else None)", listed)

    def _literal(self, node: Any, _: Value) -> Value:
        constant = node["value"]
        if constant is not None and not isinstance(constant, str | int | float):
            raise UnwritableError
        self.writing.costs(len(constant) if isinstance(constant, str) else 1)
        return Value(self.writing.constant(constant), "constant") if constant is not None else _NULL

    def _itself(self, _: Any, scope: Value) -> Value:
        if scope.kind == "any" or scope.is_scalar:
            return scope
        raise UnwritableError

    def _or(self, node: Any, scope: Value) -> Value:
        left, right = self._both(node, scope)
        return self._one_of(left, right, f"({left.code} if {self.truth(left)} else {right.code})")

    def _and(self, node: Any, scope: Value) -> Value:
        left, right = self._both(node, scope)
        return self._one_of(left, right, f"({right.code} if {self.truth(left)} else {left.code})")

    def _both(self, node: Any, scope: Value) -> tuple[Value, Value]:
        """The right side is asked too where the left decides: what it cannot read is left to `nodes`."""
        left, right = (self.value(child, scope) for child in node["children"])
        return self.writing.named(left), right

    def _one_of(self, left: Value, right: Value, code: str) -> Value:
        for one in (left, right):
            if one.kind != "any" and not one.is_scalar:
                raise UnwritableError
        same = left.kind == right.kind and left.kind != "constant"
        return self.writing.named(Value(code, left.kind if same else "any"))

    def _not(self, node: Any, scope: Value) -> Value:
        (inner,) = node["children"]
        return Value(f"(not {self.truth(self.value(inner, scope))})", "bool")

    def _comparator(self, node: Any, scope: Value) -> Value:
        left, right = (self.writing.paid(self.value(child, scope)) for child in node["children"])
        kind = node["value"]
        if kind in ("eq", "ne") and any(isinstance(self.writing.constants.get(one.code), str) for one in (left, right)):
            return Value(f"({left.code} {'==' if kind == 'eq' else '!='} {right.code})", "bool")
        return Value(f"{self.writing.constant(compare(kind))}({left.code}, {right.code})", "bool")

    def _multi_select_list(self, node: Any, scope: Value) -> Value:
        found = [self.writing.paid(self.value(child, scope)) for child in node["children"]]
        self.writing.costs(3 * len(found))
        return self._select(f"[{', '.join(one.code for one in found)}]", scope)

    def _multi_select_dict(self, node: Any, scope: Value) -> Value:
        pairs = [
            (self.writing.constant(child["value"]), self.writing.paid(self.value(child["children"][0], scope)))
            for child in node["children"]
        ]
        self.writing.costs(3 * len(pairs))
        return self._select(f"{{{', '.join(f'{name}: {one.code}' for name, one in pairs)}}}", scope)

    def _select(self, made: str, scope: Value) -> Value:
        if scope is self._root:
            return self.writing.named(Value(made, "made"))
        if scope.kind not in ("object", "any"):
            raise UnwritableError
        return self.writing.named(Value(f"(None if {self.writing.named(scope).code} is None else {made})", "made"))

    def _function(self, node: Any, scope: Value) -> Value:
        name = node["value"]
        given = [self.writing.named(self.writing.paid(self.value(child, scope))) for child in node["children"]]
        self.writing.costs(_SMALL)
        if name == "text":
            code = self._text(given[0].code)
        elif name == "join":
            code = self._join(*given)
        else:
            code = self._called(name, [one.code for one in given])
        return self.writing.paid(self.writing.named(Value(f"({code})", _GIVES.get(name, "any"))))

    def _text(self, given: str) -> str:
        return f"{given} if {given} is None or type({given}) is str else {self.writing.constant(spelled)}({given})"

    def _join(self, separator: Value, parts: Value) -> str:
        if not isinstance(self.writing.constants.get(separator.code), str) or parts.kind != "made":
            raise UnwritableError
        self.writing.line(f"if type({parts.code}) is not list: raise UnfitError")
        self.writing.line(f"if (left := left - len({separator.code}) * len({parts.code})) < 0: raise UnfitError")
        return f"{separator.code}.join({parts.code})"

    def _called(self, name: str, given: list[str]) -> str:
        own = OWN.get(name)
        if own is None:
            return f"{self.writing.constant(self._functions.called(name))}([{', '.join(given)}])"
        call = self.writing.constant(own.call)
        surrounded = given if own.is_plain else [self.writing.constant(self._functions.surroundings), *given]
        called = f"{call}({', '.join(surrounded)})"
        return f"None if {given[0]} is None else {called}" if own.null_stays else called

    def _projection(self, node: Any, scope: Value) -> Value:
        base, right = node["children"]
        flat = base["type"] == "flatten"
        return self._projected(self.value(base["children"][0] if flat else base, scope), right, None, flat)

    def _filter(self, node: Any, scope: Value) -> Value:
        base, right, condition = node["children"]
        return self._projected(self.value(base, scope), right, condition, False)

    def _projected(self, base: Value, right: Any, condition: Any, flat: bool) -> Value:
        if base.kind not in ("any", "list", "made"):
            raise UnwritableError
        writing, listed, found = self.writing, self.writing.named(base), self.writing.name()
        writing.line(f"{found} = None")
        with writing.block(f"if type({listed.code}) is list"):
            writing.line(f"{found} = []")
            with writing.charged(f"len({listed.code})"):
                self._elements(listed, found, right, condition, flat)
        return Value(found, "made")

    def _elements(self, listed: Value, found: str, right: Any, condition: Any, flat: bool) -> None:
        writing, one = self.writing, element(self.writing.name(), listed)
        with writing.block(f"for {one.code} in {listed.code}"):
            writing.costs()
            if flat and one.kind != "object":
                writing.line(f"if type({one.code}) is list: raise UnfitError")
            if condition is not None:
                writing.line(f"if not {self.truth(self.value(condition, one))}: continue")
            value = writing.named(writing.paid(self.value(right, one)))
            writing.line(f"if {value.code} is not None: {found}.append({value.code})")


_Write = Callable[[Nodes, Any, Value], Value]
_WRITERS: dict[str, _Write] = {
    "field": Nodes._field,
    "subexpression": Nodes._sequence,
    "index_expression": Nodes._sequence,
    "pipe": Nodes._sequence,
    "index": Nodes._index,
    "literal": Nodes._literal,
    "identity": Nodes._itself,
    "current": Nodes._itself,
    "or_expression": Nodes._or,
    "and_expression": Nodes._and,
    "not_expression": Nodes._not,
    "comparator": Nodes._comparator,
    "multi_select_list": Nodes._multi_select_list,
    "multi_select_dict": Nodes._multi_select_dict,
    "function_expression": Nodes._function,
    "projection": Nodes._projection,
    "filter_projection": Nodes._filter,
}
