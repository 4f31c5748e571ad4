"""Charts of the page: the same bytes for the same numbers, and none where the numbers say as much."""

from __future__ import annotations

import base64
import re

import pytest

from rsflow.report.snapshot.charts import FEWEST, bar_chart, histogram_chart
from rsflow.report.snapshot.html import Markup, figure, table


def svg(chart: Markup) -> str:
    found = re.search(r"data:image/svg\+xml;base64,([^\"]+)", chart)
    assert found
    return base64.b64decode(found[1]).decode()


def bars(count: int) -> Markup:
    return bar_chart([f"{number}<" for number in range(count)], {"sar": range(count), "optical": [1] * count}, "samples", "x")


def columns(filled: int) -> Markup:
    return histogram_chart([str(edge) for edge in range(9)], {"px": [1] * filled + [0] * (9 - filled)}, "px", "x")


@pytest.mark.parametrize("chart", [bars, columns])
def test_a_chart_is_the_same_for_the_same_numbers_and_there_is_none_of_one_or_two(chart: object) -> None:
    assert callable(chart)
    assert svg(chart(FEWEST)) == svg(chart(FEWEST))
    assert not chart(FEWEST - 1)


def test_all_texts_of_a_chart_lie_within_it() -> None:
    drawn = svg(bar_chart(["a name as long as a chart can show it all"] * 4, {"s": [1, 2, 3, 10**7]}, "samples", "x"))
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', drawn)[1])  # type: ignore[index]  # an SVG has one
    # Texts that end at their place (names of bars) begin as far left as they are long: 4.7 points a character.
    ends = re.findall(r'text-anchor: end[^>]*x="([\d.]+)"[^>]*>(a name[^<]+)<', drawn)
    assert len(ends) == 4
    assert all(4.7 * len(text) < float(x) < width for x, text in ends)


def test_without_a_chart_the_numbers_are_shown_unfolded() -> None:
    numbers = table(["name", "samples"], [["ship", "3"]])
    assert "<details>" in figure(bars(FEWEST), "Samples.", numbers)
    shown = figure(bars(1), "Samples.", numbers)
    assert "<details>" not in shown
    assert numbers in shown
