"""Which language a page is written in: the one that was asked for, else the reader's, else Polish. Pure."""

from typing import Literal, get_args

Language = Literal["pl", "en"]
DEFAULT: Language = "pl"
_KNOWN: tuple[Language, ...] = get_args(Language)


def choose(asked: Language | None, accept_language: str) -> Language:
    """`accept_language` is the header (RFC 9110, 12.5.4), empty where there is none."""
    return asked or _preferred(accept_language) or DEFAULT


def _preferred(header: str) -> Language | None:
    weights: dict[Language, float] = {}
    for item in header.split(","):
        tag, _, parameters = item.strip().partition(";")
        for known in _KNOWN:
            if tag.strip().lower().partition("-")[0] == known:
                weights[known] = max(weights.get(known, 0.0), _weight(parameters))
    best = max(weights, key=lambda known: weights[known], default=None)
    return best if best and weights[best] else None


def _weight(parameters: str) -> float:
    """What cannot be read as a quality has none."""
    name, _, quality = parameters.partition("=")
    if not parameters.strip():
        return 1.0
    try:
        return float(quality) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
