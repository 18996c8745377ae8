"""Customer effort: the mean on the scale that was asked, and the share who found it easy."""

from services.scoring.metrics.definition import Definition
from services.scoring.metrics.groups import OTHER_GROUPS

CES = Definition("ces", "ces@1", "score", "mean", reads="ces", names=OTHER_GROUPS)
CES_EASY = Definition("ces_easy", "ces_easy@1", "percent", "share", reads="ces", names=OTHER_GROUPS, success="positive")
