"""Where the facts of each metric lie: tables, time, dimensions, and what is counted, in fixed SQL of our own."""

from typing import NamedTuple

_CLOSED = "('resolved', 'confirmed', 'disputed', 'silent')"
# The newest answer that is known: a retraction has no dimensions of its own.
_NEWEST_ANSWER = """LATERAL (SELECT * FROM feedback x WHERE x.id = {id} AND NOT x.retracted
    ORDER BY x.revision DESC LIMIT 1) a"""


class Facts(NamedTuple):
    """`counted` gives scale_min, scale_max, direction, score, excluded, n; `dimensions` is the alias of their table."""

    tables: str
    where: str
    time: str
    counted: str
    dimensions: str
    grouped: bool = True

    def column(self, dimension: str) -> str:
        if dimension == "source":
            return f"{self.dimensions}.sender"
        return (
            f"{self.dimensions}.{dimension}" if self.dimensions == "d" else f"{self.dimensions}.data ->> '{dimension}'"
        )


_ANSWERS = Facts(
    "feedback a",
    "a.superseded_at IS NULL AND NOT a.retracted AND a.metric = :metric AND a.score IS NOT NULL",
    "a.time",
    "a.scale_min, a.scale_max, a.direction, a.score, '', count(*)",
    "a",
)
_RETRACTED = Facts(
    f"feedback r JOIN {_NEWEST_ANSWER.format(id='r.id')} ON true",
    "r.superseded_at IS NULL AND r.retracted AND a.metric = :metric AND a.score IS NOT NULL",
    "a.time",
    "a.scale_min, a.scale_max, a.direction, a.score, 'retracted', count(*)",
    "a",
)
_DELIVERIES = Facts(
    "delivery d",
    "true",
    "d.completed_at",
    "0, 10, 'lower_better', d.outcome, CASE d.outcome WHEN 'no_promise' THEN 'no_promise' ELSE '' END, count(*)",
    "d",
)
_DETRACTORS = Facts(
    """feedback a LEFT JOIN followup f ON f.feedback = a.id AND f.state <> 'withdrawn'
        LEFT JOIN suppression s ON s.feedback = a.id AND s.revision = a.revision""",
    "a.superseded_at IS NULL AND a.group_name = 'detractor'",
    "a.time",
    "0, 10, '', CASE WHEN f.id IS NULL THEN coalesce(s.reason, 'missing') ELSE 'followup' END, '', count(*)",
    "a",
)
_OPENED = Facts(
    f"followup f LEFT JOIN {_NEWEST_ANSWER.format(id='f.feedback')} ON true",
    "f.opened_at IS NOT NULL",
    "f.opened_at",
    f"0, 10, '', CASE WHEN f.state IN {_CLOSED} THEN 'closed' ELSE 'open' END, '', count(*)",
    "a",
)
_ATTEMPTED = Facts(
    _OPENED.tables,
    "f.first_attempt_at IS NOT NULL AND f.opened_at IS NOT NULL",
    "f.opened_at",
    "0, 10, '', extract(epoch FROM f.first_attempt_at - f.opened_at), '', 1",
    "a",
    grouped=False,
)

_OF = {
    "late_delivery": (_DELIVERIES,),
    "followup_coverage": (_DETRACTORS,),
    "close_rate": (_OPENED,),
    "time_to_first_attempt": (_ATTEMPTED,),
}


def facts_of(metric: str) -> tuple[Facts, ...]:
    return _OF.get(metric, (_ANSWERS, _RETRACTED))
