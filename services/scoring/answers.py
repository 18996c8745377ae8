"""The answer to a question about a metric: by group, by bucket, against before. Pure.

A number never leaves without its n, its interval and the formula that made it.
"""

from typing import Any

from services.scoring.metrics.cells import Cells
from services.scoring.metrics.comparison import compare
from services.scoring.metrics.definition import Definition, Sample
from services.scoring.metrics.summary import is_mixed, summarize
from services.scoring.question import Question
from services.scoring.rollups import NO_PROMISE, RETRACTED
from services.scoring.sampling import Key, Samples, new_sample

_EXCLUSIONS = {"late_delivery": (NO_PROMISE,), "close_rate": (), "time_to_first_attempt": (), "followup_coverage": ()}
_ALWAYS = ("value", "n", "interval", "counts")


def answer(question: Question, samples: Samples, before: Samples | None) -> dict[str, Any]:
    """`before` are the samples of the window that is compared with."""
    definition = question.definition
    whole = _merged(definition, samples)
    summary = summarize(definition, whole, question.confidence)
    reasons = _EXCLUSIONS.get(definition.id, (RETRACTED,))
    answered: dict[str, Any] = {
        "metric": definition.id,
        "formula": definition.formula,
        "unit": definition.unit,
        **summary.as_json(),
        "window": question.window.as_json(),
        "filters": {name: list(values) for name, values in question.filters.items()},
        "confidence": question.confidence,
        "excluded": dict.fromkeys(reasons, 0) | whole.excluded,
        "provisional_until": None,
    }
    if question.group_by:
        answered["groups"] = _groups(question, samples)
    elif is_mixed(whole) and isinstance(whole, Cells):
        answered["groups"] = _by_scale(question, whole)
    if question.buckets:
        answered["series"] = _series(question, samples)
    if question.compared and before is not None:
        compared = compare(definition, whole, _merged(definition, before), question.confidence)
        answered["comparison"] = {"window": question.compared.as_json(), **compared.as_json()}
    return answered


def _merged(definition: Definition, samples: Samples, key: Key | None = None) -> Sample:
    """Of all buckets; of one key, or of all."""
    merged: Any = new_sample(definition)
    for (its_key, _), sample in samples.items():
        if key is None or key == its_key:
            merged.merge(sample)
    return merged  # type: ignore[no-any-return]


def _numbers(question: Question, sample: Sample) -> dict[str, Any]:
    summary = summarize(question.definition, sample, question.confidence).as_json()
    return {name: summary[name] for name in (*_ALWAYS, "reason") if name in summary}


def _named(question: Question, key: Key) -> dict[str, str | None]:
    return dict(zip(question.group_by, key, strict=True))


def _keys(samples: Samples) -> list[Key]:
    """In the order of their values, those without a value last."""
    return sorted({key for key, _ in samples}, key=lambda key: [(value is None, value or "") for value in key])


def _groups(question: Question, samples: Samples) -> list[dict[str, Any]]:
    return [
        {"key": _named(question, key), **_numbers(question, _merged(question.definition, samples, key))}
        for key in _keys(samples)
    ]


def _by_scale(question: Question, cells: Cells) -> list[dict[str, Any]]:
    return [{"key": {"scale": scale.as_json()}, **_numbers(question, part)} for scale, part in cells.by_scale().items()]


def _series(question: Question, samples: Samples) -> list[dict[str, Any]]:
    keys = _keys(samples) if question.group_by else [()]
    empty = new_sample(question.definition)
    return [
        {
            "from": bucket.as_json()["from"],
            "to": bucket.as_json()["to"],
            "key": _named(question, key),
            **_numbers(question, samples.get((key, at), empty)),
        }
        for key in keys
        for at, bucket in enumerate(question.buckets)
    ]
