"""Answers of the API as the pages get them, made by hand."""

from typing import Any


def answer(n: int = 1184, **changed: Any) -> dict[str, Any]:
    """An NPS of 34 in five weeks; `value` and `interval` are null where n is 0."""
    made = {
        "metric": "nps",
        "unit": "points",
        "value": 34.2 if n else None,
        "n": n,
        "interval": {"low": 29.6, "high": 38.5, "method": "adjusted_wald"} if n else None,
        "counts": {"promoter": 15, "passive": 6, "detractor": 5},
        "scale": {"min": 0, "max": 10} if n else None,
        "window": {
            "from": "2026-08-25T22:00:00Z",
            "to": "2026-11-24T23:00:00Z",
            "timezone": "Europe/Warsaw",
        },
        "provisional_until": None,
        "series": [week(day, value) for day, value in ((26, 28), (2, 30), (9, 31), (16, 36), (23, 34))],
        "comparison": comparison(),
    }
    return made | changed


def week(day: int, value: float | None, n: int = 90) -> dict[str, Any]:
    """A bucket; the one from the 23rd is cut off after two days."""
    month = "10" if day == 26 else "11"
    last = f"2026-11-{min(day + 7, 25):02}" if month == "11" else "2026-11-02"
    bounds = None if value is None else {"low": value - 5, "high": value + 5}
    return {
        "from": f"2026-{month}-{day:02}T00:00:00Z",
        "to": f"{last}T00:00:00Z",
        "value": value,
        "n": n,
        "interval": bounds,
    }


def comparison(**changed: Any) -> dict[str, Any]:
    return {"value": 26.0, "n": 1100, "difference": 8.2, "p": 0.001, "changed": True} | changed


def reconciliation(**changed: Any) -> dict[str, Any]:
    made = {
        "as_of": {"at": "2026-11-24T09:42:30Z", "offsets": {}},
        "settled": True,
        "balanced": True,
        "topics": {
            "petla.feedback": {
                "read": 2418,
                "new": 2312,
                "duplicates": 87,
                "conflicts": 3,
                "rejected": {"undecodable": 16},
                "lost": 0,
            },
            "petla.activity": {"read": 9, "new": 9, "duplicates": 0, "conflicts": 0, "rejected": {}, "lost": 0},
        },
        "feedback": {"scored": 2241, "retracted": 11, "superseded": 60},
        "detractors": {
            "total": 326,
            "followups": 301,
            "suppressed": {"no_contact_consent": 3, "same_submission": 14, "too_old": 8},
            "missing": 0,
        },
    }
    return made | changed
