"""When one thing is no longer asked for, and when the sender is at fault and nothing is passed over."""

from collections.abc import Awaitable, Callable

import pytest

from services.ingest.pulling.patience import APART_SECONDS, TRIES, Answers, Patience
from services.ingest.pulling.port import PullFailed
from services.ingest.pulling.remote import Refused, Throttled, Unauthorised
from services.ingest.webhooks.request import Request
from tests.ingest.running import HeldClock

FINE = Request("GET", "http://sender/", {}, b"{}")
AWAY, THROTTLED = PullFailed("away"), Throttled("too much")


class Sender:
    """What each thing answers, `FINE` where nothing is said; `asked` in order."""

    def __init__(self) -> None:
        self.says: dict[str, PullFailed] = {}
        self.asked: list[str] = []

    def things(self, names: str) -> dict[str, Callable[[], Awaitable[Request]]]:
        return {name: self._thing(name) for name in names}

    def _thing(self, name: str) -> Callable[[], Awaitable[Request]]:
        async def ask() -> Request:
            self.asked.append(name)
            if name in self.says:
                raise self.says[name]
            return FINE

        return ask


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def patience(clock: HeldClock) -> Patience:
    return Patience(clock)


async def kept(patience: Patience, sender: Sender, names: str, most: int = 50) -> Answers:
    answers = await patience.ask(sender.things(names), most)
    patience.kept()
    return answers


async def test_what_fails_beside_others_is_passed_over_after_some_tries_over_some_time(
    sender: Sender, clock: HeldClock, patience: Patience
) -> None:
    sender.says = {"a": AWAY}
    for _ in range(TRIES - 1):
        for _ in range(20):  # also when it is asked for far more often
            assert (await kept(patience, sender, "ab")).passed_over == {}
        clock.advance(APART_SECONDS)
    answers = await kept(patience, sender, "ab")
    assert answers.passed_over == {"a": "away: passed over after 6 tries, beside which others were answered"}
    assert answers.settled == {"a", "b"}
    sender.asked.clear()
    await kept(patience, sender, "ab")
    assert sender.asked == [], "what is settled is not asked for again"


async def test_while_nothing_is_answered_nothing_counts(sender: Sender, clock: HeldClock, patience: Patience) -> None:
    await kept(patience, sender, "a")
    sender.says = dict.fromkeys("abc", AWAY)
    for _ in range(10 * TRIES):
        assert (await kept(patience, sender, "bc")).passed_over == {}
        clock.advance(APART_SECONDS)
    del sender.says["a"]
    assert (await kept(patience, sender, "bc")).passed_over == {}, "the first try that counts"


@pytest.mark.parametrize("failed", [THROTTLED, Unauthorised("no token")])
async def test_what_says_nothing_of_the_thing_ends_the_round_and_never_counts(
    sender: Sender, clock: HeldClock, patience: Patience, failed: PullFailed
) -> None:
    for _ in range(10 * TRIES):
        sender.says, sender.asked = {"b": failed}, []
        answers = await patience.ask(sender.things("abc"), 50)
        assert (answers.passed_over, answers.failed) == ({}, failed)
        clock.advance(APART_SECONDS)
    assert sender.asked == ["a", "c", "b"], "what failed is asked for last"


async def test_a_thing_that_is_refused_is_passed_over_at_once(sender: Sender, patience: Patience) -> None:
    sender.says = {"a": Refused("answered 403")}
    answers = await kept(patience, sender, "ab")
    assert (answers.passed_over, list(answers.came), answers.failed) == ({"a": "answered 403"}, ["b"], None)


async def test_a_sender_that_is_away_is_asked_for_a_few_and_next_time_for_others(
    sender: Sender, patience: Patience
) -> None:
    sender.says = dict.fromkeys("abcdefg", AWAY)
    for asked in ("abc", "def", "gab"):
        sender.asked = []
        assert (await kept(patience, sender, "abcdefg")).failed is AWAY
        assert sender.asked == list(asked)


async def test_what_was_not_kept_is_given_again_and_no_more_than_wanted(sender: Sender, patience: Patience) -> None:
    assert list((await patience.ask(sender.things("abc"), 2)).came) == ["a", "b"]
    assert list((await kept(patience, sender, "abc", most=2)).came) == ["a", "b"]
    assert list((await kept(patience, sender, "abc", most=2)).came) == ["c"]


async def test_what_is_known_needs_no_asking_and_shows_nothing(
    sender: Sender, clock: HeldClock, patience: Patience
) -> None:
    sender.says = {"a": AWAY}
    for _ in range(2 * TRIES):
        answers = await patience.ask(sender.things("a"), 50, {"k": FINE})
        assert (list(answers.came), answers.passed_over) == (["k"], {})
        clock.advance(APART_SECONDS)
