"""Customer satisfaction: the share of satisfied answers; which boxes count as satisfied is in `groups.py`."""

from services.scoring.metrics.definition import Definition
from services.scoring.metrics.groups import OTHER_GROUPS

CSAT = Definition("csat", "csat@1", "percent", "share", reads="csat", names=OTHER_GROUPS, success="positive")
