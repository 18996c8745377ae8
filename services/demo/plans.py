"""What an agent does with a follow-up: the seed and the customer decide, so it is the same each time. Pure."""

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from services.demo.chances import pick
from services.demo.people import without_diacritics


class Step(NamedTuple):
    """An action of the API and the fields of its body, beside `version` and `by`."""

    action: str
    body: dict[str, Any]


_CLAIM = Step("claim", {})
_NO_ANSWER = Step("attempt", {"channel": "phone", "outcome": "no_answer"})
_MESSAGE = Step("attempt", {"channel": "phone", "outcome": "left_message"})
_REACHED = Step("attempt", {"channel": "phone", "outcome": "reached"})
_OBJECTION = Step("comment", {"note": "Klient napisał, że sprawa nie jest załatwiona."})
_REOPEN = Step("reopen", {})

# How far each follow-up comes today; None is where the cause and the action are filled in.
_COURSES: Sequence[tuple[float, tuple[Step | None, ...]]] = (
    (0.24, ()),
    (0.08, (_CLAIM,)),
    (0.08, (_CLAIM, _NO_ANSWER)),
    (0.06, (_CLAIM, _NO_ANSWER, _MESSAGE)),
    (0.08, (_CLAIM, _REACHED)),
    (0.28, (_CLAIM, _REACHED, None)),
    (0.12, (_CLAIM, _NO_ANSWER, _REACHED, None)),
    (0.06, (_CLAIM, _REACHED, None, _OBJECTION, _REOPEN)),
)
_DELAY = (
    ("spóźniony kurier", "przeprosiny i zwrot kosztu dostawy"),
    ("brak informacji o opóźnieniu", "przeprosiny i rabat 10 % na kolejne zakupy"),
)
_OTHER = (
    ("uszkodzenie w transporcie", "wysłany nowy egzemplarz"),
    ("opis niezgodny z towarem", "przyjęty zwrot, opis poprawiony"),
    ("długie oczekiwanie na infolinii", "sprawa załatwiona podczas jednej rozmowy"),
    ("błąd na fakturze", "wystawiona faktura korygująca"),
    ("wada produktu", "uznana reklamacja, zwrot pieniędzy"),
)
_WORDS_OF_DELAY = ("spozn", "opozn", "po terminie", "pozno", "kurier", "data dostawy")


def plan(followup: dict[str, Any], seed: int) -> list[Step]:
    """The steps of today; none for those that wait for tomorrow."""
    random = Random(f"{seed}-{followup['customer']}-{followup['order_id']}")
    course = pick(random.random(), {number: share for number, (share, _) in enumerate(_COURSES)})
    return [step or _resolution(followup["text"] or "", random) for step in _COURSES[course][1]]


def _resolution(text: str, random: Random) -> Step:
    plain = without_diacritics(text).lower()
    is_delay = any(word in plain for word in _WORDS_OF_DELAY)
    cause, action = random.choice(_DELAY if is_delay else _OTHER)
    return Step("resolve", {"root_cause": cause, "action": action})
