"""Late deliveries: the share of completed deliveries that broke their promise."""

from services.scoring.metrics.definition import Definition

LATE_DELIVERY = Definition(
    "late_delivery", "late_delivery@1", "percent", "share", names=("late", "on_time"), success="late"
)
