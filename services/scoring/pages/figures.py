"""How a metric's value, its interval and a difference are rounded and written. Pure.

Value and interval share their rounding: points whole, shares whole (one decimal under 10 %), means and hours one.
"""

from typing import Any

from services.scoring.pages.numbers import WORD_JOINER, rounded_to
from services.scoring.pages.wording import Wording

_SMALL_SHARE = 10
_SCALES = {"points": (-100.0, 100.0), "percent": (0.0, 100.0)}


def places(unit: str, value: float) -> int:
    if unit == "percent":
        return 1 if value < _SMALL_SHARE else 0
    return 0 if unit == "points" else 1


def written(unit: str, value: float, wording: Wording) -> str:
    return wording.numerals.plain(value, places(unit, value))


def spoken(unit: str, value: float, wording: Wording) -> str:
    """With its unit, on one line."""
    return wording.glued(wording.text(f"spoken.{unit}", value=written(unit, value, wording)))


def interval(unit: str, value: float, bounds: dict[str, Any], wording: Wording) -> str:
    shared = places(unit, value)
    low, high = (wording.numerals.plain(bounds[end], shared) for end in ("low", "high"))
    return wording.text("interval.percent" if unit == "percent" else "interval", low=low, high=high)


def difference(unit: str, value: float, change: float, wording: Wording) -> str:
    """Rounded as the value is; a change that would read as none gets one decimal more."""
    shared = places(unit, value)
    if not rounded_to(change, shared):
        shared += 1
    return wording.glued(wording.text(f"difference.{unit}", value=wording.numerals.signed(change, shared)))


def ends(unit: str, scale: dict[str, Any] | None) -> tuple[float, float] | None:
    """The ends of the scale that a value lies on; None where it has none."""
    if unit == "score":
        return (scale["min"], scale["max"]) if scale else None
    return _SCALES.get(unit)


def about_scale(scale: dict[str, Any] | None, wording: Wording) -> str:
    if scale is None:
        return ""
    return wording.text("scale.lower_better" if "direction" in scale else "scale", range=scale_range(scale, wording))


def scale_range(scale: dict[str, Any], wording: Wording) -> str:
    """1–5, never broken at its dash."""
    return f"{WORD_JOINER}–{WORD_JOINER}".join(wording.numerals.short(scale[end]) for end in ("min", "max"))
