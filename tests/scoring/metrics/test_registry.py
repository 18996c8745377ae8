from services.scoring.metrics.groups import RULES
from services.scoring.metrics.registry import METRICS


def test_the_metrics_of_the_api_with_formula_unit_and_what_they_read() -> None:
    assert [(metric.id, metric.formula, metric.unit, metric.reads) for metric in METRICS.values()] == [
        ("nps", "nps@1", "points", "nps"),
        ("csat", "csat@1", "percent", "csat"),
        ("ces", "ces@1", "score", "ces"),
        ("ces_easy", "ces_easy@1", "percent", "ces"),
        ("rating", "rating@1", "score", "rating"),
        ("rating_top2", "rating_top2@1", "percent", "rating"),
        ("recommend", "recommend@1", "percent", "recommend"),
        ("late_delivery", "late_delivery@1", "percent", None),
        ("followup_coverage", "followup_coverage@1", "percent", None),
        ("time_to_first_attempt", "time_to_first_attempt@1", "hours", None),
        ("close_rate", "close_rate@1", "percent", None),
    ]


def test_a_metric_can_be_found_by_its_id() -> None:
    assert all(METRICS[metric.id] is metric for metric in METRICS.values())


def test_every_share_counts_one_of_its_names_and_reads_a_metric_that_has_groups() -> None:
    for metric in METRICS.values():
        assert (metric.success in metric.names) == (metric.kind == "share")
        assert metric.reads is None or metric.reads in RULES
