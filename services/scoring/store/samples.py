"""What the metrics are computed from, by group and bucket: from the rollups where they suffice, else from the facts.

Both ways give the same digits.
"""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import rollups
from services.scoring.metrics.cells import Cells, Scale
from services.scoring.metrics.definition import Definition
from services.scoring.metrics.outcomes import Durations
from services.scoring.metrics.windows import is_day_aligned
from services.scoring.question import Question
from services.scoring.sampling import Key, Samples, new_sample
from services.scoring.store.facts import Facts, facts_of

_YES = 10


async def read(question: Question, zone: ZoneInfo, tx: AsyncConnection) -> Samples:
    """`zone` is the one whose days the rollups count."""
    if rollups_suffice(question, zone):
        return await _read_rollups(question, zone, tx)
    return await read_facts(question, tx)


def rollups_suffice(question: Question, zone: ZoneInfo) -> bool:
    """Whole days of the rollups' zone, and one dimension at the most."""
    used = {*question.group_by, *question.filters}
    known = rollups.DIMENSIONS.get(_rolled(question))
    windows = [question.window, *question.buckets]
    return (
        known is not None
        and len(used) <= 1
        and used <= set(known)
        and all(is_day_aligned(window, zone) for window in windows)
    )


def _rolled(question: Question) -> str:
    return question.definition.reads or question.definition.id


_COUNTED = "width_bucket(day, CAST(:edges AS date[])) - 1, scale_min, scale_max, direction, score, excluded"
_IN_WINDOW = "metric = :metric AND day >= :first AND day < :last"
_WITH_VALUE = f"""
    SELECT value, {_COUNTED}, CAST(sum(n) AS bigint) FROM rollup WHERE {_IN_WINDOW} AND dimension = :dimension
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0"""
_ONE_OF_VALUES = f"""
    SELECT value, {_COUNTED}, CAST(sum(n) AS bigint) FROM rollup WHERE {_IN_WINDOW} AND dimension = :dimension
        AND value = ANY(CAST(:values AS text[]))
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(n) <> 0"""
# What has no value of a dimension stands in no cell of it: the total less everything that has one.
_WITHOUT_VALUE = f"""
    SELECT NULL, {_COUNTED}, CAST(sum(CASE WHEN dimension = '' THEN n ELSE -n END) AS bigint)
    FROM rollup WHERE {_IN_WINDOW} AND dimension IN ('', :dimension)
    GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(CASE WHEN dimension = '' THEN n ELSE -n END) <> 0"""


async def _read_rollups(question: Question, zone: ZoneInfo, tx: AsyncConnection) -> Samples:
    edges = [edge.astimezone(zone).date() for edge in _edges(question)]
    values = {
        "metric": _rolled(question),
        "dimension": next(iter({*question.group_by, *question.filters}), rollups.TOTAL),
        "edges": edges[:-1],
        "first": edges[0],
        "last": edges[-1],
    }
    if question.filters:
        (values["values"],) = map(list, question.filters.values())
        statement = _ONE_OF_VALUES
    elif question.group_by:
        statement = f"{_WITH_VALUE} UNION ALL {_WITHOUT_VALUE}"
    else:
        statement = _WITH_VALUE
    samples: Samples = {}
    for value, bucket, *counted in await tx.execute(text(statement), values):
        _add(samples, question.definition, ((value,) if question.group_by else (), bucket), *counted)
    return samples


async def read_facts(question: Question, tx: AsyncConnection) -> Samples:
    """Any window, any time zone, any dimensions."""
    samples: Samples = {}
    for facts in facts_of(question.definition.id):
        rows = await tx.execute(text(_facts_statement(question, facts)), _facts_values(question))
        width = len(question.group_by)
        for row in rows:
            place = tuple(row[:width]), row[width]
            _add(samples, question.definition, place, *row[width + 1 :])
    return samples


def _facts_statement(question: Question, facts: Facts) -> str:
    keys = "".join(f"{facts.column(name)}, " for name in question.group_by)
    filters = "".join(
        f" AND {facts.column(name)} = ANY(CAST(:f{at} AS text[]))" for at, name in enumerate(question.filters)
    )
    # Everything but the count itself: the keys, the bucket, and five columns of what is counted.
    grouped = ", ".join(str(at) for at in range(1, len(question.group_by) + 7))
    return f"""
        SELECT {keys}width_bucket({facts.time}, CAST(:edges AS timestamptz[])) - 1, {facts.counted}
        FROM {facts.tables}
        WHERE {facts.where} AND {facts.time} >= :first AND {facts.time} < :last{filters}
        {f"GROUP BY {grouped}" if facts.grouped else ""}"""


def _facts_values(question: Question) -> dict[str, Any]:
    edges = _edges(question)
    values: dict[str, Any] = {"edges": edges[:-1], "first": edges[0], "last": edges[-1]}
    if question.definition.reads:
        values["metric"] = question.definition.reads
    return values | {f"f{at}": list(allowed) for at, allowed in enumerate(question.filters.values())}


def _edges(question: Question) -> list[Any]:
    buckets = question.buckets or [question.window]
    return [*(bucket.start for bucket in buckets), buckets[-1].end]


def _add(
    samples: Samples,
    definition: Definition,
    place: tuple[Key, int],
    scale_min: int,
    scale_max: int,
    direction: str,
    score: Any,
    excluded: str,
    n: int,
) -> None:
    """One counted row into the sample at its place; `score` is tenths, an outcome's name, or seconds."""
    sample = samples.setdefault(place, new_sample(definition))
    if excluded:
        sample.excluded[excluded] = sample.excluded.get(excluded, 0) + n
    elif isinstance(sample, Cells):
        sample.add(Scale(scale_min, scale_max, direction), score, n)
    elif isinstance(sample, Durations):
        sample.seconds.append(float(score))
    else:
        name = score if isinstance(score, str) else "late" if score == _YES else "on_time"
        sample.counts[name] = sample.counts.get(name, 0) + n
