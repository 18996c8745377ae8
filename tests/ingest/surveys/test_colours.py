"""Whatever colour a brand has: its marks can be seen on the paper, and the text on them can be read."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.surveys.colours import contrast, shade, stylesheet

TOKENS = Path(__file__).parents[3] / "shared" / "pages" / "static" / "tokens.css"
PAPER = {"light": "#F6F3EC", "dark": "#161311"}

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [  # from the definition of WCAG 2.2; the last by its authors' calculator
        ("#000", "#FFFFFF", 21.0),
        ("#fff", "#FFF", 1.0),
        ("#777777", "#FFFFFF", 4.48),
    ],
)
def test_contrast(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@given(colours, st.sampled_from(["light", "dark"]))
def test_any_colour_can_be_seen_and_read(colour: str, theme: str) -> None:
    found = shade(colour, theme)
    assert contrast(found.mark, PAPER[theme]) >= 3
    assert contrast(found.text, found.mark) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_colour_that_can_be_seen_stays_as_it_is(theme: str) -> None:
    assert shade("#C2410C", theme).mark == "#C2410C"


@pytest.mark.parametrize(
    ("colour", "theme", "text"),
    [("#2E5E3A", "light", "#FFFFFF"), ("#FFE600", "dark", "#000000"), ("#FFE600", "light", "#000000")],
)
def test_the_text_is_black_or_white(colour: str, theme: str, text: str) -> None:
    assert shade(colour, theme).text == text


def test_a_colour_moves_no_further_than_it_must() -> None:
    assert contrast(shade("#FFFFFF", "light").mark, PAPER["light"]) < 3.3
    assert contrast(shade("#000000", "dark").mark, PAPER["dark"]) < 3.3


def test_the_papers_are_those_of_the_design() -> None:
    assert re.findall(r"--paper: (#\w{6})", TOKENS.read_text(encoding="utf-8"))[:2] == [PAPER["light"], PAPER["dark"]]


def test_the_stylesheet_follows_the_theme_as_the_tokens_do() -> None:
    light, dark, chosen = stylesheet("#2E5E3A").splitlines()
    assert light == ":root { --brand: #2E5E3A; --on-brand: #FFFFFF; }"
    assert dark.startswith('@media screen and (prefers-color-scheme: dark) { :root:not([data-theme="light"]) {')
    assert chosen.startswith('@media screen { :root[data-theme="dark"] {')
