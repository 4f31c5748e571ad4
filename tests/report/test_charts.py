"""Charts are well-formed SVG whose shapes lie where their numbers are."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from rsflow.report.snapshot.charts import bar_chart, heat_map, histogram_chart, line_chart, map_chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(markup: str) -> ElementTree.Element:
    """The SVG of a chart."""
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', markup)
    return ElementTree.fromstring(base64.b64decode(data))


def rectangles(chart: ElementTree.Element, colour: str) -> list[dict[str, float]]:
    found = [each for each in chart.iter(f"{SVG}rect") if each.get("fill") == colour]
    return [{name: float(each.get(name, "")) for name in ("x", "y", "width", "height")} for each in found]


def texts(chart: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in chart.iter(f"{SVG}text")]


def test_bars_are_as_long_as_their_numbers_and_begin_where_the_last_ended() -> None:
    chart = drawn(bar_chart(["a", "b"], {"optical": [30, 10], "sar": [20, 40]}, "samples", "by name"))
    first, second = rectangles(chart, "#2f6fb3")[1:], rectangles(chart, "#d9812a")[1:]  # without the squares of the legend
    assert first[0]["width"] / first[1]["width"] == pytest.approx(3, rel=1e-2)
    assert second[1]["width"] / first[0]["width"] == pytest.approx(4 / 3, rel=1e-2)
    assert [part["x"] for part in second] == pytest.approx([part["x"] + part["width"] for part in first], abs=0.11)
    assert first[0]["y"] < first[1]["y"]
    assert {"0", "10", "20", "30", "40", "50", "samples", "a", "b", "optical", "sar"} <= set(texts(chart))


def test_columns_stand_on_the_axis_and_on_each_other() -> None:
    chart = drawn(histogram_chart([str(step) for step in range(30)], {"optical": [1] * 30, "sar": [2] * 30}, "px", "sizes"))
    lower, upper = rectangles(chart, "#2f6fb3")[1:], rectangles(chart, "#d9812a")[1:]
    assert len({part["y"] + part["height"] for part in lower}) == 1
    assert [part["y"] + part["height"] for part in upper] == pytest.approx([part["y"] for part in lower], abs=0.11)
    assert "28" in texts(chart)
    assert "29" not in texts(chart)


@pytest.mark.parametrize(("most", "ticks"), [(0.004, ["0.000", "0.001"]), (7, ["0", "2"]), (12_345, ["0", "5,000"])])
def test_axes_have_round_numbers(most: float, ticks: list[str]) -> None:
    found = texts(drawn(line_chart([0, 1], {"red": [0, most]}, "grey level", "levels")))
    assert found[found.index(ticks[0], found.index("grey level")) :][:2] == ticks


def test_points_of_a_map_lie_north_up_and_a_million_on_one_pixel_are_one() -> None:
    places = np.array([[13.0, 50.0], [13.0, 52.0], [14.0, 50.0], *[[14.0, 50.0]] * 10_000])
    (path,) = drawn(map_chart({"train": places}, "map")).iter(f"{SVG}path")
    points = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path.get("d", ""))}
    assert len(points) == 3
    south_west, south_east = sorted(points, key=lambda point: -point[1])[:2]
    if south_west[0] > south_east[0]:
        south_west, south_east = south_east, south_west
    (north,) = points - {south_west, south_east}
    assert north[0] == south_west[0]
    # A degree of longitude is as long as cos(51°) degrees of latitude.
    assert (south_east[0] - south_west[0]) / (south_west[1] - north[1]) == pytest.approx(np.cos(np.radians(51)) / 2, abs=0.01)


def test_the_fullest_cell_has_the_last_colour_and_an_empty_one_the_first() -> None:
    cells = np.zeros((16, 16), dtype=np.int64)
    cells[3, 5] = 8
    chart = drawn(heat_map(cells, "positions"))
    (fullest,) = rectangles(chart, "#fde725")
    (empty, *_) = [each for each in rectangles(chart, "#440154") if each["width"] == fullest["width"]]
    assert (fullest["x"] - empty["x"], fullest["y"] - empty["y"]) == (5 * 16, 3 * 16)


@pytest.mark.parametrize("values", [[], [0, 0]])
def test_nothing_to_draw_is_an_empty_chart(values: list[float]) -> None:
    names = [str(position) for position in range(len(values))]
    for chart in (bar_chart(names, {"samples": values}, "samples", "none"), histogram_chart(["0"], {"a": [0]}, "px", "none")):
        assert all(each["width"] == 0 or each["height"] == 0 for each in rectangles(drawn(chart), "#2f6fb3"))
    drawn(map_chart({"train": np.array([[13.0, 50.0]])}, "one place"))
    drawn(heat_map(np.zeros((16, 16), dtype=np.int64), "none"))


def test_a_name_is_text_whatever_it_holds() -> None:
    name = '<script>alert(1)</script> & "\x00\ud800"'
    found = drawn(bar_chart([name], {name: [1], "sar": [1]}, "samples", "by name"))
    assert not list(found.iter(f"{SVG}script"))
    assert texts(found)[-1].startswith('<script>alert(1)</script> & "')
