"""Would you recommend us, yes or no: the share of yes."""

from services.scoring.metrics.definition import Definition
from services.scoring.metrics.groups import OTHER_GROUPS

RECOMMEND = Definition(
    "recommend", "recommend@1", "percent", "share", reads="recommend", names=OTHER_GROUPS, success="positive"
)
