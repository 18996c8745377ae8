"""How well the loop is closed: coverage of detractors, hours to the first attempt, share of closed follow-ups."""

from services.scoring.metrics.definition import Definition

# Detractors without a follow-up are counted under the reason they were suppressed for, or as "missing".
FOLLOWUP_COVERAGE = Definition(
    "followup_coverage", "followup_coverage@1", "percent", "share", names=("followup", "missing"), success="followup"
)
TIME_TO_FIRST_ATTEMPT = Definition("time_to_first_attempt", "time_to_first_attempt@1", "hours", "median")
CLOSE_RATE = Definition("close_rate", "close_rate@1", "percent", "share", names=("closed", "open"), success="closed")
