"""Numbers and money from what files hold: exact, no guessing; written with a decimal point unless a mark is named."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_AMOUNT = re.compile(r"([0-9]{1,10})\.([0-9]{1,4})")  # less than the largest, whatever the currency
_LONGEST = 40
_SPACES = "\N{SPACE}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
_GROUPED = {
    mark: re.compile(
        rf"([+-]?)([0-9]+|[0-9]{{1,3}}(?P<gap>[{_SPACES}{other}])[0-9]{{3}}(?:(?P=gap)[0-9]{{3}})*)"
        rf"(?:{re.escape(mark)}([0-9]+))?"
    )
    for mark, other in ((",", "."), (".", ","))
}
_ONE_GROUP = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST_AMOUNT = 10**15

# ISO 4217, list one: the currencies whose minor unit is not a hundredth.
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {currency: digits for digits, listed in _CURRENCIES_BY_DIGITS.items() for currency in listed.split()}


def read_number(value: Any, mark: str | None = None) -> int | float:
    """A JSON number as it is; text as `4`, `-4.50`, `1e3` (spaces around it are dropped).

    With `mark`, the decimal mark ("," or "."), also as people and exports write it: `1 234,50`,
    `1.234.567,8`; see `_with_point`. Whole text becomes an int, the rest the nearest float. Raises ValueError, without
    a mark also for a decimal comma.
    """
    text = _number_text(value, mark)
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def scale(value: Any, old: list[Any], new: list[Any]) -> int | float:
    """`value` moved from the range `old` = [low, high] to `new`, linearly and exactly; rounded once, to a float.

    Raises ValueError when a range is not two different numbers or the value lies outside `old`: an answer outside
    its own scale is a mistake of the sender, not an answer.
    """
    (low, high), (new_low, new_high) = _range(old), _range(new)
    exact = _fraction(value)
    if not min(low, high) <= exact <= max(low, high):
        raise ValueError(f"{value} lies outside {float(low):g}–{float(high):g}")
    moved = new_low + (exact - low) * (new_high - new_low) / (high - low)
    return moved.numerator if moved.denominator == 1 else float(moved)


def minor(value: Any, currency: Any, mark: str | None = None) -> dict[str, Any]:
    """Money in minor units: ("12.34", "PLN") is {"amount": 1234, "currency": "PLN"}; digits a currency has: ISO 4217.

    `mark` as in `read_number`. Raises ValueError for more digits than the currency has (nothing is rounded) and for
    what is no amount.
    """
    digits = _MINOR_DIGITS.get(check_currency(currency), 2)
    if mark is None and type(value) is str and (written := _AMOUNT.fullmatch(value)):
        whole, decimals = written.groups()
        if len(decimals) == digits:  # as nearly all are written
            return {"amount": int(whole + decimals), "currency": currency}
    amount = Decimal(_number_text(value, mark)).scaleb(digits)
    if abs(amount) > _LARGEST_AMOUNT:
        raise ValueError(f"{value} {currency} is more than an amount may be")
    if amount != int(amount):
        raise ValueError(f"{value} has more decimals than {currency} has ({digits})")
    return {"amount": int(amount), "currency": currency}


def check_currency(currency: Any) -> str:
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{currency!r:.40} is not a currency: write the three capital letters of ISO 4217, 'PLN'")
    return currency


def check_mark(mark: Any) -> str:
    if mark not in (",", "."):
        raise ValueError("the decimal mark is written out, ',' or '.'")
    return str(mark)


def _range(ends: list[Any]) -> tuple[Fraction, Fraction]:
    if not isinstance(ends, list) or len(ends) != 2:
        raise ValueError("a range is written `[0, 100]`, in backticks")
    low, high = _fraction(ends[0]), _fraction(ends[1])
    if low == high:
        raise ValueError("the two ends of a range must differ")
    return low, high


def _fraction(value: Any) -> Fraction:
    return Fraction(_number_text(value))


def _number_text(value: Any, mark: str | None = None) -> str:
    """Numbers become their shortest exact spelling, so that 0.1 is one tenth."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.40} is not a number")
    text = value.strip() if isinstance(value, str) else repr(value)
    if mark is not None and isinstance(value, str) and len(text) <= _LONGEST:
        text = _with_point(text, check_mark(mark))
    if len(text) <= _LONGEST and _NUMBER.fullmatch(text):
        return text
    remedy = ": name the decimal mark, ',', as the last argument" if "," in text and mark is None else ""
    raise ValueError(f"{text!r:.40} is not a number{remedy}")


def _with_point(text: str, mark: str) -> str:
    """Groups of three digits joined, the mark a point. Groups stand apart by a space, a (narrow) no-break space or the
    other mark, the same one everywhere. What is not written so comes back as it is.

    A cell of a workbook that holds a number is written with a point whatever the mark is; so `4.5` is taken, and
    `1.234`, which under a decimal comma can be both, is refused.
    """
    text = text.replace("\N{MINUS SIGN}", "-")
    if mark == "," and _ONE_GROUP.fullmatch(text):
        raise ValueError(f"{text!r} can be read as {text.replace('.', '')} and as a decimal: write it with a comma")
    match = _GROUPED[mark].fullmatch(text)
    if match is None:
        return text
    sign, whole, _, decimals = match.groups()
    return sign + re.sub("[^0-9]", "", whole) + (f".{decimals}" if decimals is not None else "")
