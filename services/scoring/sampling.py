"""Samples by group and bucket: what the store reads and the answers are made of. Pure."""

from services.scoring.metrics.cells import Cells
from services.scoring.metrics.definition import Definition, Sample
from services.scoring.metrics.outcomes import Durations, Outcomes

# One value for each dimension of `group_by`, None where the fact has none.
Key = tuple[str | None, ...]
# By key and bucket; a bucket is an index into the question's buckets, 0 without a series.
Samples = dict[tuple[Key, int], Sample]


def new_sample(definition: Definition) -> Sample:
    if definition.kind == "median":
        return Durations()
    return Outcomes() if definition.reads is None else Cells()
