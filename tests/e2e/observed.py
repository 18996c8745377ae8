"""The same totals as the naive count's, asked from the running system through its public API."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.client import Client
from tests.e2e.naive_count import DIGITS, SCORED, Counted, Totals


def observe(scoring: Client, alerts: Client, now: datetime) -> Totals:
    totals = Totals()
    window = {"from": (now - timedelta(days=200)).isoformat(), "to": (now + timedelta(days=2)).isoformat()}
    for metric in SCORED:
        answer = scoring.get(f"/v1/metrics/{metric}", **window, group_by="channel")
        totals.metrics[metric] = _counted(answer, Counter(answer["histogram"]))
        if answer["value"] is not None:
            totals.metrics[metric].value = round(answer["value"], DIGITS)
        for part in answer["groups"]:
            totals.channels[metric, part["key"]["channel"]] = _counted(part, Counter())
        totals.retracted_of[metric] = answer["excluded"]["retracted"]
    late = scoring.get("/v1/metrics/late_delivery", **window)
    totals.deliveries = Counter({**late["counts"], "no_promise": late["excluded"]["no_promise"]})
    _reconciled(scoring.get("/v1/reconciliation"), totals)
    totals.followups = alerts.followups() - alerts.followups("withdrawn")
    return totals


def _counted(answer: dict[str, Any], histogram: Counter[str]) -> Counted:
    return Counted(answer["n"], Counter(answer["counts"]), histogram)


def _reconciled(found: dict[str, Any], totals: Totals) -> None:
    feedback, detractors = found["feedback"], found["detractors"]
    totals.scored, totals.retracted = feedback["scored"], feedback["retracted"]
    totals.facts = found["topics"]["petla.feedback"]["new"]
    totals.activity_facts = found["topics"]["petla.activity"]["new"]
    totals.detractors = detractors["total"]
    totals.suppressed = Counter(detractors["suppressed"])


def differences(expected: Totals, found: Totals) -> list[str]:
    """A line for each total that is not what it must be."""
    pairs: list[tuple[str, object, object]] = [
        (name, getattr(expected, name), getattr(found, name))
        for name in (
            "facts", "scored", "retracted", "activity_facts", "deliveries", "detractors", "followups", "suppressed",
        )
    ]  # fmt: skip
    for metric in SCORED:
        pairs.append((metric, expected.metrics[metric], found.metrics[metric]))
        pairs.append((f"{metric} retracted", expected.retracted_of[metric], found.retracted_of[metric]))
    for key in expected.channels.keys() | found.channels.keys():
        wanted, got = expected.channels[key], found.channels[key]
        pairs.append((f"{key}", (wanted.n, wanted.counts), (got.n, got.counts)))
    return [f"{name}: {wanted} expected, {got} found" for name, wanted, got in pairs if wanted != got]
