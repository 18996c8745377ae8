"""Stars: the mean, and the share of the top two boxes."""

from services.scoring.metrics.definition import Definition
from services.scoring.metrics.groups import OTHER_GROUPS

RATING = Definition("rating", "rating@1", "score", "mean", reads="rating", names=OTHER_GROUPS)
RATING_TOP2 = Definition(
    "rating_top2", "rating_top2@1", "percent", "share", reads="rating", names=OTHER_GROUPS, success="positive"
)
