"""JMESPath expressions, compiled once: what can be wrong with one without a row is refused here."""

import warnings
from collections.abc import Iterator
from typing import Any

from jmespath.exceptions import IncompleteExpressionError, JMESPathError, JMESPathTypeError, LexerError, ParseError
from jmespath.parser import Parser

from services.ingest.mapping.functions import Functions, Surroundings, arities, check_constants
from services.ingest.mapping.interpreter import Interpreter, is_true
from services.ingest.mapping.located import suggest
from services.ingest.mapping.nodes import compiled
from services.ingest.mapping.reading import needed_by, parts_of

LONGEST = 2_000
DEEPEST = 30
_ARITIES = arities()


class ExpressionError(ValueError):
    """An expression that cannot be compiled, or a value that it cannot be evaluated on."""


class Expression:
    """A compiled expression; raises `ExpressionError` for any row that it cannot read. `tree` is as jmespath's parser
    made it, `parts` are those it reads, `needed` some without which it gives nothing that is true.
    """

    def __init__(self, text: str, functions: Functions) -> None:
        tree = _parse(text)
        for node in _nodes(tree):
            if node["type"] == "function_expression":
                _check_call(node, functions.surroundings)
        self.tree = tree
        self.parts = parts_of(tree)
        self.needed = tuple(needed_by(tree))
        self._evaluate = compiled(tree, functions)

    def value(self, interpreter: Interpreter, scope: Any, *, as_part: bool = False) -> Any:
        """`as_part`: whoever asks pays for what it reads of the value; else all of it is paid for here."""
        try:
            value = self._evaluate(scope, interpreter)
            if as_part:
                interpreter.pay(1)
            else:
                interpreter.pay_for(value)
            return value
        except FAILURES as error:
            raise ExpressionError(_explained(error)) from None

    def holds(self, interpreter: Interpreter, scope: Any) -> bool:
        """Whether its value is true, as JMESPath has it."""
        try:
            value = self._evaluate(scope, interpreter)
            interpreter.pay(1)
        except FAILURES as error:
            raise ExpressionError(_explained(error)) from None
        return bool(value) or is_true(value)


FAILURES = (JMESPathTypeError, TypeError, ValueError, ArithmeticError, RecursionError)


def _explained(error: Exception) -> str:
    match error:
        case JMESPathTypeError():
            wanted = " or ".join(error.expected_types)
            return f"{error.function_name}() needs {wanted}, not {error.actual_type}"
        case TypeError():
            return "text and a number are compared: wrap the column in number()"
        case RecursionError():
            return "the row is nested too deeply"
    return str(error)


def _parse(text: str) -> Any:
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters, this one {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree: Any = Parser().parse(text).parsed
    except PendingDeprecationWarning:
        raise ExpressionError("between backticks stands JSON: write text as 'text'") from None
    except RecursionError:
        raise ExpressionError(f"nested deeper than {DEEPEST} levels: make it simpler") from None
    except ParseError as error:
        raise ExpressionError(_syntax(error)) from None
    except (JMESPathError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise ExpressionError("not JMESPath: write a column's name, 'text' in quotes, or a function") from None
    return tree


def _syntax(error: ParseError) -> str:
    if isinstance(error, IncompleteExpressionError):
        return "not JMESPath: the expression ends too early, close what it opens"
    remedy = "write text as 'text', numbers and lists as `[0, 10]`, odd names as \"name\""
    token = error.token_value if not isinstance(error, LexerError) else error.lexer_value
    return f"not JMESPath: unexpected {str(token)[:40]!r} at character {error.lex_position + 1}: {remedy}"


def _nodes(tree: Any) -> Iterator[Any]:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise ExpressionError(f"nested deeper than {DEEPEST} levels: make it simpler")
        yield node
        waiting.extend((child, depth + 1) for child in node["children"] if isinstance(child, dict))


def _check_call(node: Any, surroundings: Surroundings) -> None:
    name, arguments = node["value"], node["children"]
    if name not in _ARITIES:
        raise ExpressionError(f"there is no function {name[:40]}(): {suggest(name, sorted(_ARITIES))}")
    least, most = _ARITIES[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}" if most < 10 else f"at least {least}"
        raise ExpressionError(f"{name}() takes {wanted} argument{'s' * (wanted != '1')}, not {len(arguments)}")
    constants = [argument["value"] if argument["type"] == "literal" else ... for argument in arguments]
    try:
        check_constants(name, constants, surroundings)
    except ValueError as error:
        raise ExpressionError(f"{name}(): {error}") from None
