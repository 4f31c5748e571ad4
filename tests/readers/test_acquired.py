from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.errors import ConfigError, DataError
from rsflow.readers.listing.acquisition_time import check_rule, check_rule_matches, find_acquisition_time, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20160625", datetime(2016, 6, 25, tzinfo=UTC)),
        ("2016-06-25", datetime(2016, 6, 25, tzinfo=UTC)),
        ("2016177", datetime(2016, 6, 25, tzinfo=UTC)),
        ("2016177T101112", datetime(2016, 6, 25, 10, 11, 12, tzinfo=UTC)),
        ("20160625T101112", datetime(2016, 6, 25, 10, 11, 12, tzinfo=UTC)),
        ("2016-06-25T10:11:12+02:00", datetime(2016, 6, 25, 8, 11, 12, tzinfo=UTC)),
        ("2009:01:21 14:25:31", datetime(2009, 1, 21, 14, 25, 31, tzinfo=UTC)),
        ("2016-13-25", None),
        ("2016000", None),
        ("0000:00:00 00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_forms_of_a_time(text, expected):
    assert parse_time(text) == expected


@settings(deadline=None)
@given(st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1)))
def test_day_of_year_and_calendar_date_agree(time):
    assert parse_time(time.strftime("%Y%jT%H%M%S")) == parse_time(time.strftime("%Y%m%dT%H%M%S")) is not None


def test_rule_finds_the_date_in_the_path_or_nothing_or_complains():
    assert find_acquisition_time(r"_(\d{8})_", "s3://b/x_20200131_y.tif") == datetime(2020, 1, 31, tzinfo=UTC)
    assert find_acquisition_time(r"_(\d{8})_", "x.tif", ["2009:01:21 14:25:31"]) is None
    with pytest.raises(DataError, match=r"x_99999999_y.tif.*'99999999'"):
        find_acquisition_time(r"_(\d{8})_", "x_99999999_y.tif")


@pytest.mark.parametrize("rule", [r"(\d{4})(\d{4})", "no group", "(unclosed"])
def test_rules_that_cannot_work_are_config_errors(rule):
    with pytest.raises(ConfigError, match="source a: acquired_at"):
        check_rule(rule, "source a: acquired_at")


def test_a_rule_that_finds_nothing_in_any_path_is_refused() -> None:
    check_rule_matches(r"_(\d{8})_", ["a.tif", "b_20200131_c.tif"], "s")
    check_rule_matches("2020-01-31", ["a.tif"], "s")
    with pytest.raises(ConfigError, match=r"source s: acquired_at.*matches none of its 1 files \(such as a\.tif\)"):
        check_rule_matches(r"_(\d{8})_", ["a.tif"], "s")
