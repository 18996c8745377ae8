"""Every metric that can be asked for, by id."""

from services.scoring.metrics.ces import CES, CES_EASY
from services.scoring.metrics.csat import CSAT
from services.scoring.metrics.definition import Definition
from services.scoring.metrics.late_delivery import LATE_DELIVERY
from services.scoring.metrics.loop import CLOSE_RATE, FOLLOWUP_COVERAGE, TIME_TO_FIRST_ATTEMPT
from services.scoring.metrics.nps import NPS
from services.scoring.metrics.rating import RATING, RATING_TOP2
from services.scoring.metrics.recommend import RECOMMEND

METRICS: dict[str, Definition] = {
    definition.id: definition
    for definition in (
        NPS,
        CSAT,
        CES,
        CES_EASY,
        RATING,
        RATING_TOP2,
        RECOMMEND,
        LATE_DELIVERY,
        FOLLOWUP_COVERAGE,
        TIME_TO_FIRST_ATTEMPT,
        CLOSE_RATE,
    )
}
