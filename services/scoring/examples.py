"""Answers as they look, for the OpenAPI document; tests compute them again."""

from typing import Any

_NOVEMBER = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z", "timezone": "Europe/Warsaw"}
_OCTOBER = {"from": "2026-10-01T22:00:00Z", "to": "2026-10-31T23:00:00Z", "timezone": "Europe/Warsaw"}

# ?from=2026-11-01&to=2026-12-01&store=Kraków&group_by=channel&compare_to=previous
METRIC: dict[str, Any] = {
    "metric": "nps",
    "formula": "nps@1",
    "unit": "points",
    "value": 30.0,
    "n": 100,
    "interval": {"low": 14.05113017876161, "high": 44.201297005704404, "method": "adjusted_wald"},
    "counts": {"promoter": 50, "passive": 30, "detractor": 20},
    "histogram": {"3": 20, "8": 30, "10": 50},
    "scale": {"min": 0, "max": 10},
    "window": _NOVEMBER,
    "filters": {"store": ["Kraków"]},
    "confidence": 0.95,
    "excluded": {"retracted": 1},
    "provisional_until": None,
    "groups": [
        {
            "key": {"channel": "email"},
            "value": 28.571428571428573,
            "n": 70,
            "interval": {"low": 9.183436782461182, "high": 45.611083765484025, "method": "adjusted_wald"},
            "counts": {"promoter": 35, "passive": 20, "detractor": 15},
        },
        {
            "key": {"channel": "sms"},
            "value": 33.333333333333336,
            "n": 30,
            "interval": {"low": 4.7781310745808945, "high": 55.82792953147971, "method": "adjusted_wald"},
            "counts": {"promoter": 15, "passive": 10, "detractor": 5},
        },
    ],
    "comparison": {
        "window": _OCTOBER,
        "value": 25.0,
        "n": 100,
        "difference": 5.0,
        "z": 0.45047938144013544,
        "p": 0.6523648180006095,
        "changed": False,
    },
}

METRICS: dict[str, Any] = {
    "items": [
        {"metric": "late_delivery", "formula": "late_delivery@1", "unit": "percent", "dimensions": ["store", "channel"]}
    ]
}

FEEDBACK: dict[str, Any] = {
    "id": "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80",
    "feedback_id": "r-17",
    "source": "shop",
    "metric": "nps",
    "score": 3,
    "group": "detractor",
    "revision": 0,
    "retracted": False,
    "conflicts": 0,
    "time": "2026-11-20T09:00:00Z",
    "received_at": "2026-11-20T09:00:01.204000Z",
    "followup": {"id": "5b7d1c02-93ae-8f64-a2c8-1e0f3d5b7a96", "state": "new"},
}

DEAD_LETTERS: dict[str, Any] = {
    "items": [
        {
            "kind": "conflict",
            "topic": "petla.feedback",
            "partition": 4,
            "offset": 812,
            "reason": "conflict",
            "detail": "revision 0 is known with other content; send a change as a higher revision",
            "id": "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80",
            "source": "shop",
            "at": "2026-11-20T09:12:44.018212Z",
        }
    ],
    "next_cursor": None,
    "total": 1,
}

# 9 records of feedback: 8 new (6 stand, 1 was taken back, 1 was replaced) and a duplicate; 2 of activity.
RECONCILIATION: dict[str, Any] = {
    "as_of": {
        "at": "2026-11-20T09:15:00Z",
        "offsets": {
            "petla.feedback": {"0": 5, "1": 4},
            "petla.activity": {"0": 2, "1": 0},
            "petla.followups": {"0": 3, "1": 1},
            "petla.raw": {"0": 0, "1": 2},
        },
    },
    "settled": True,
    "balanced": True,
    "topics": {
        "petla.feedback": {"read": 9, "new": 8, "duplicates": 1, "conflicts": 0, "rejected": {}, "lost": 0},
        "petla.activity": {"read": 2, "new": 2, "duplicates": 0, "conflicts": 0, "rejected": {}, "lost": 0},
    },
    "feedback": {"scored": 6, "retracted": 1, "superseded": 1},
    "detractors": {"total": 3, "followups": 2, "suppressed": {"too_old": 1}, "missing": 0},
}

_SHOP: dict[str, Any] = {
    "name": "shopify",
    "state": "receiving",
    "received": 5,
    "accepted": 2,
    "duplicates": 1,
    "conflicts": 0,
    "ignored": {"no_rule": 1},
    "rejected": {"bad_signature": 1},
    "incomplete": {"out_of_range": 1},
    "last_seen": "2026-11-20T09:41:07Z",
    "last_error": {"at": "2026-11-20T09:38:20Z", "reason": "out_of_range", "status": 202},
}
_WEEK = {"from": "2026-11-14", "to": "2026-11-21", "timezone": "Europe/Warsaw"}
SOURCES: dict[str, Any] = {"window": _WEEK, "items": [_SHOP]}
SOURCE: dict[str, Any] = {
    **_SHOP,
    "window": _WEEK,
    "days": [{"day": "2026-11-20", **{name: _SHOP[name] for name in list(_SHOP)[2:9]}}],
    "deliveries": [
        {
            "id": "3d0f6a1b-7c52-8e94-b1a6-0f2d4c6e8a90",
            "at": "2026-11-20T09:41:07Z",
            "outcome": "accepted",
            "reason": None,
            "status": 202,
            "size": 4211,
            "version": 1,
            "events": 2,
            "partition": 3,
            "offset": 1042,
            "kept": True,
        }
    ],
}
