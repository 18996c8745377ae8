"""C-12: whatever the order and the batches in which revisions arrive, the outcome is that of the newest revisions.

Which answer of a submission opens its follow-up depends on which came first, so the model says what holds of each
submission, not which answer it is.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.alerts.world import World, feedback_id, scored

SUBMISSIONS = {"a": "s", "b": "s", "c": "s", "d": "t", "e": "t", "f": None}
DETRACTOR, PROMOTER, RETRACTED = 2, 9, None

Told = tuple[str, int]


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[Told, int | None], list[list[Told]]]:
    """The content of every revision of some answers, and all of them (some twice) in any order, cut into batches."""
    contents: dict[Told, int | None] = {}
    for name in draw(st.sets(st.sampled_from(sorted(SUBMISSIONS)), min_size=1)):
        for revision in range(draw(st.integers(1, 3))):
            contents[name, revision] = draw(st.sampled_from([DETRACTOR, PROMOTER, RETRACTED]))
    again = draw(st.lists(st.sampled_from(sorted(contents)), max_size=3))
    order = draw(st.permutations([*contents, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)))
    batches = [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return contents, [batch for batch in batches if batch]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_the_outcome_is_that_of_the_newest_revisions(
    world: World, history: tuple[dict[Told, int | None], list[list[Told]]]
) -> None:
    contents, batches = history
    await forget(world)
    for batch in batches:
        await world.told(*(event(name, revision, contents[name, revision]) for name, revision in batch))

    newest = {name: max(r for n, r in contents if n == name) for name, _ in contents}
    detractors = {name: r for name, r in newest.items() if contents[name, r] == DETRACTOR}
    alive = {id_ for id_, state in (await world.states()).items() if state != "withdrawn"}
    suppressed = {(id_, revision) for id_, revision, reason in await world.suppressions()}
    # P8: every detractor is a follow-up or a suppression, never both, never neither.
    for name, revision in detractors.items():
        assert (feedback_id(name) in alive) != ((feedback_id(name), revision) in suppressed)
    assert one_each(alive) == one_each({feedback_id(name) for name in detractors})
    assert len(alive) == len(one_each(alive)), "two follow-ups of one submission"


def event(name: str, revision: int, score: int | None) -> dict[str, Any]:
    return scored(name, revision, score, submission_id=SUBMISSIONS[name])


def one_each(ids: Sequence[UUID] | set[UUID]) -> set[str]:
    """The submissions (or lone answers) that the feedback belongs to."""
    names = {feedback_id(name): SUBMISSIONS[name] or name for name in SUBMISSIONS}
    found = defaultdict(list)
    for id_ in ids:
        found[names[id_]].append(id_)
    return set(found)


async def forget(world: World) -> None:
    async with world.db.transaction() as tx:
        for table in ("followup_event", "suppression", "seen_feedback", "followup"):
            await tx.execute(text(f"DELETE FROM {table}"))
