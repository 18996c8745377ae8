"""Rows as COPY reads them from text: the cheapest way into a table for both sides. Pure.

Its CSV with two control characters: one between the values, the other around what is JSON, which holds neither of them,
so nothing needs to be escaped. A name that holds one breaks its row, and PostgreSQL refuses that.
"""

BETWEEN, AROUND = "\x1f", "\x01"


def cell(value: object) -> str:
    """NULL is empty: no text that is kept is."""
    return "" if value is None else str(value)


def json_cell(text: str) -> str:
    return f"{AROUND}{text}{AROUND}"
