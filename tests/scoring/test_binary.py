"""Moments as PostgreSQL keeps them: microseconds since 2000, whatever zone they were told in."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from services.scoring.binary import instants

WARSAW = ZoneInfo("Europe/Warsaw")
AN_HOUR = 3_600_000_000


def test_moments_of_all_zones_are_told_in_microseconds_since_2000() -> None:
    early = datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    moments = [early.astimezone(zone) for zone in (UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-9)))]
    assert instants(moments) == [1, 1, 1]
    assert instants([datetime(1999, 12, 31, 23, tzinfo=UTC)]) == [-AN_HOUR]
    assert instants([]) == []


def test_a_zone_whose_offset_changes_over_the_year_is_asked_for_it() -> None:
    winter, summer = (
        datetime(2000, 1, 1, 2, tzinfo=WARSAW),
        datetime(2000, 1, 1, 2, tzinfo=WARSAW) + timedelta(days=182),
    )
    assert instants([winter, summer]) == [AN_HOUR, AN_HOUR * (182 * 24)]
