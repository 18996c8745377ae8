"""How numbers are written in each language. Pure.

Halves are rounded away from zero, as people do; a minus is a minus sign, and what rounds to zero has none. Groups of
thousands are held together by a no-break space in Polish.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
WORD_JOINER = "\N{WORD JOINER}"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Numerals:
    """`decimal` and `group` are the marks between whole and fraction, and between thousands."""

    decimal: str
    group: str

    def plain(self, value: float, places: int = 0) -> str:
        rounded = rounded_to(value, places)
        digits = f"{abs(rounded):,}".translate({ord(","): self.group, ord("."): self.decimal})
        return MINUS + digits if rounded < 0 else digits

    def signed(self, value: float, places: int = 0) -> str:
        written = self.plain(value, places)
        return "+" + written if rounded_to(value, places) > 0 else written

    def short(self, value: float) -> str:
        """Only as many decimals as there are: a score or the end of a scale."""
        return self.plain(value, 0 if value == int(value) else 1)


POLISH = Numerals(",", NO_BREAK_SPACE)
ENGLISH = Numerals(".", ",")


def rounded_to(value: float, places: int) -> Decimal:
    # By its shortest form, so that 2.675 is the half that it looks like.
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded + 0  # which makes a plain zero of -0
