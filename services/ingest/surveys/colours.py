"""A brand's colour, made readable: as a mark on the page's paper, and under its own text, in light and in dark. Pure.

Contrast as in WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of relative luminances.
"""

from dataclasses import dataclass

_PAPERS = {"light": "#F6F3EC", "dark": "#161311"}  # --paper of tokens.css
_MARK_CONTRAST = 3.0
_STEPS = 50


@dataclass(frozen=True)
class Shade:
    """`mark` has a contrast of at least 3 on the paper, `text` at least 4.5 on `mark`."""

    mark: str
    text: str


def shade(colour: str, theme: str) -> Shade:
    """`colour` as #RGB or #RRGGBB, moved no further than it must; `theme` light or dark."""
    paper = _PAPERS[theme]
    towards = "#000000" if theme == "light" else "#FFFFFF"
    mixes = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    mark = next(mix for mix in mixes if contrast(mix, paper) >= _MARK_CONTRAST)
    return Shade(mark, max("#FFFFFF", "#000000", key=lambda text: contrast(text, mark)))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def stylesheet(colour: str) -> str:
    """The variables of the brand, for both themes, chosen as tokens.css chooses."""
    light, dark = _variables(shade(colour, "light")), _variables(shade(colour, "dark"))
    return (
        f":root {{ {light} }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f'@media screen {{ :root[data-theme="dark"] {{ {dark} }} }}\n'
    )


def _variables(one: Shade) -> str:
    return f"--brand: {one.mark}; --on-brand: {one.text};"


def _channels(colour: str) -> list[int]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return [int(digits[at : at + 2], 16) for at in (0, 2, 4)]


def _mixed(colour: str, other: str, share: float) -> str:
    mixed = (round(a + (b - a) * share) for a, b in zip(_channels(colour), _channels(other), strict=True))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
