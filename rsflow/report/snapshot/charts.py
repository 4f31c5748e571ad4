"""Charts of the page as SVG, the same for the same numbers.

One idea: each function takes plain numbers and returns a picture within the page, made of a few shapes. A plotting library
takes seconds for the thirty charts of a page, longer than a small build. SVG is shown as an image, so nothing that is written
on a chart can act on the page.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsflow.report.snapshot.html import Markup, element, picture

Series = Mapping[str, Sequence[float]]
Range = tuple[float, float]

COLOURS = ("#2f6fb3", "#d9812a", "#3b8f5b", "#b3406b", "#7a5cb8", "#8a8a3a", "#3a9aa3", "#8c5a3c")
NAMED = {"optical": COLOURS[0], "sar": COLOURS[1], "infrared": COLOURS[3]}
NAMED |= {"train": COLOURS[0], "val": COLOURS[1], "test": COLOURS[2], "yes": COLOURS[2], "no": COLOURS[3]}
NAMED |= {"kept": COLOURS[2], "left": COLOURS[3], "red": "#c33", "green": "#393", "blue": "#36c", "grey": "#555"}
HEAT = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))  # viridis at its quarters, RGB
# In pixels: a chart, the margin at its right, a character of its text, a line of text, a row of bars, a cell of a heat map.
WIDTH, MARGIN, CHARACTER, LINE, ROW, CELL = 614, 18, 6.6, 17, 21, 16
LABEL = 34  # characters of a name on a chart; the tables have it whole


@dataclass(frozen=True)
class Area:
    """Where values are drawn: a rectangle in pixels; `x` and `y` are the values at its left and right, bottom and top."""

    left: float
    top: float
    width: float
    height: float
    x: Range
    y: Range

    def across(self, value: float) -> float:
        """The horizontal pixel position of a value."""
        return self.left + self.width * (value - self.x[0]) / (self.x[1] - self.x[0])

    def down(self, value: float) -> float:
        """The vertical pixel position of a value."""
        return self.top + self.height * (self.y[1] - value) / (self.y[1] - self.y[0])

    def rectangle(self, x: Range, y: Range, colour: str) -> Markup:
        """The rectangle between two values of each axis."""
        left, right = map(self.across, x)
        low, high = sorted(map(self.down, y))
        return _shape("rect", x=left, y=low, width=right - left, height=high - low, fill=colour)


def bar_chart(names: Sequence[str], series: Series, unit: str, alternative: str) -> Markup:
    """Horizontal bars, one per name from the top, each made of the series one after the other."""
    shown = [_short(name) for name in names]
    keys, top = _legend(series, 2)
    left = 12 + CHARACTER * max(map(len, shown), default=0)
    stacked = list(_stack(series))
    area = Area(left, top, WIDTH - MARGIN - left, ROW * len(names), (0, _longest(stacked)), (len(names), 0))
    bars = [area.rectangle(ends, (row + 0.14, row + 0.86), colour) for row, ends, colour in stacked]
    labels = [_text(left - 6, area.down(row + 0.5) + 4, name, "end") for row, name in enumerate(shown)]
    return _chart(area, alternative, keys, _x_axis(area, _ticks(area.x), unit), bars, labels)


def histogram_chart(edges: Sequence[str], series: Series, unit: str, alternative: str) -> Markup:
    """Columns over steps named by `edges` (where each begins), the series on top of each other."""
    keys, top = _legend(series, 2)
    stacked = list(_stack(series))
    area = _wide_area(top, 180, (0, len(edges)), (0, 1.05 * _longest(stacked)))
    columns = [area.rectangle((column, column + 1), ends, colour) for column, ends, colour in stacked]
    named = {step: edges[step] for step in range(0, len(edges), max(1, len(edges) // 12))}
    axes = [*_x_axis(area, named, unit, grid=False), *_y_axis(area, _ticks(area.y))]
    return _chart(area, alternative, keys, axes, columns)


def line_chart(positions: Sequence[float], series: Series, unit: str, alternative: str) -> Markup:
    """A line per series over common positions."""
    keys, top = _legend(series, 2)
    highest = max((value for values in series.values() for value in values), default=0) or 1
    area = _wide_area(top, 165, (positions[0], positions[-1]), (0, 1.05 * highest))
    lines = [
        _shape(
            "polyline",
            points=" ".join(f"{area.across(x):.1f},{area.down(y):.1f}" for x, y in zip(positions, values, strict=True)),
            fill="none",
            stroke=_colour(label, list(series)),
            stroke_width=1.5,
        )
        for label, values in series.items()
    ]
    return _chart(area, alternative, keys, _x_axis(area, _ticks(area.x), unit), _y_axis(area, _ticks(area.y)), lines)


def heat_map(cells: npt.NDArray[np.int64], alternative: str) -> Markup:
    """Counts over the cells (rows, cols) of a picture, its top row above; beside it the scale of the colours."""
    rows, cols = cells.shape
    most = float(cells.max()) or 1.0
    area = Area(6, 6, CELL * cols, CELL * rows, (0, cols), (rows, 0))
    grid = [
        area.rectangle((col, col + 1), (row, row + 1), _heat(cells[row, col] / most))
        for row in range(rows)
        for col in range(cols)
    ]
    scale = Area(area.left + area.width + 80, area.top, CELL, area.height, (0, 1), (0, most))
    steps = np.linspace(0, most, 65)
    grid += [scale.rectangle((0, 1), (low, most), _heat(low / most)) for low in steps[:-1]]
    return _chart(area, alternative, _y_axis(scale, _ticks(scale.y)), grid, width=scale.left + 2 * MARGIN)


def map_chart(places: Mapping[str, npt.NDArray[np.float64]], alternative: str) -> Markup:
    """Points (n, 2) of longitude and latitude per name, on a plain graticule. Points on one pixel are drawn once, so a chart of
    a million of them is no larger."""
    keys, top = _legend(places, 1, LINE)
    points = np.concatenate(list(places.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    area = _wide_area(top, 380, (0, 1), (0, 1))
    degree = np.array([max(0.05, math.cos(math.radians(middle[1]))), 1.0])  # of longitude and latitude, as lengths on the map
    size = np.array([area.width, area.height])
    half = 0.525 * size / degree * (((high - low) * degree / size).max() or 0.01 / area.width)
    (west, south), (east, north) = (middle - half).tolist(), (middle + half).tolist()
    area = _wide_area(top, 380, (west, east), (south, north))
    dots = [_dots(area, found, _colour(label, list(places))) for label, found in places.items()]
    axes = [*_x_axis(area, _ticks(area.x), "longitude, degrees east"), *_y_axis(area, _ticks(area.y))]
    return _chart(area, alternative, keys, axes, dots, [_text(6, top - 4, "latitude, degrees north")])


def _dots(area: Area, points: npt.NDArray[np.float64], colour: str) -> Markup:
    ends = ((area.left, area.left + area.width), (area.top + area.height, area.top))
    pixels = np.stack([np.interp(points[:, 0], area.x, ends[0]), np.interp(points[:, 1], area.y, ends[1])], axis=1).round()
    path = "".join(f"M{x:g} {y:g}h0" for x, y in np.unique(pixels, axis=0))
    return _shape("path", d=path, stroke=colour, stroke_width=4 if len(points) < 2000 else 1.5, stroke_linecap="round")


def _stack(series: Series) -> Iterator[tuple[int, Range, str]]:
    """(position, (from, to), colour) of every part of stacked bars."""
    ends: dict[int, float] = {}
    for label, values in series.items():
        for position, value in enumerate(values):
            start = ends.get(position, 0.0)
            ends[position] = start + value
            yield position, (start, ends[position]), _colour(label, list(series))


def _longest(stacked: Iterable[tuple[int, Range, str]]) -> float:
    return max((ends[1] for _, ends, _ in stacked), default=0.0) or 1.0


def _wide_area(top: float, height: float, x: Range, y: Range) -> Area:
    """An area with room for the numbers of its vertical axis."""
    return Area(66, top, WIDTH - MARGIN - 66, height, x, y)


def _ticks(ends: Range) -> dict[float, str]:
    """About five round numbers between two values, and their texts."""
    wide = (ends[1] - ends[0]) / 5
    power = math.floor(math.log10(wide))
    step = 10.0**power * next(factor for factor in (1, 2, 5, 10) if factor * 10.0**power >= wide * 0.999)
    numbers = range(math.ceil(ends[0] / step), math.floor(ends[1] / step + 1e-9) + 1)
    return {number * step: f"{number * step:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}" for number in numbers}


def _x_axis(area: Area, ticks: Mapping[float, str], title: str, grid: bool = True) -> list[Markup]:
    bottom = area.top + area.height
    lines = [_line(area.across(value), area.top, area.across(value), bottom, "#e4e7ec") for value in ticks if grid]
    lines.append(_line(area.left, bottom, area.left + area.width, bottom, "#222"))
    texts = [_text(area.across(value), bottom + LINE, text, "middle") for value, text in ticks.items()]
    return [*lines, *texts, _text(area.left + area.width / 2, bottom + 2 * LINE, title, "middle")]


def _y_axis(area: Area, ticks: Mapping[float, str]) -> list[Markup]:
    lines = [_line(area.left, area.down(value), area.left + area.width, area.down(value), "#e4e7ec") for value in ticks]
    lines.append(_line(area.left, area.top, area.left, area.top + area.height, "#222"))
    return [*lines, *(_text(area.left - 6, area.down(value) + 4, text, "end") for value, text in ticks.items())]


def _legend(labels: Collection[str], least: int, gap: float = 0) -> tuple[list[Markup], float]:
    """A square of its colour and its name for each of at least so many labels, and where the chart begins below them."""
    if len(labels) < least:
        return [], 8 + gap
    shapes: list[Markup] = []
    x, y = float(MARGIN), float(LINE)
    for label in labels:
        width = 30 + CHARACTER * len(_short(label))
        if x + width > WIDTH and x > MARGIN:
            x, y = float(MARGIN), y + LINE
        shapes += [
            _shape("rect", x=x, y=y - 10, width=10, height=10, fill=_colour(label, list(labels))),
            _text(x + 15, y, _short(label)),
        ]
        x += width
    return shapes, y + LINE / 2 + gap


def _chart(area: Area, alternative: str, *shapes: Iterable[Markup], width: float = WIDTH) -> Markup:
    """The shapes as an image of the page; later ones lie above earlier ones."""
    height = area.top + area.height + 2.5 * LINE
    size = {"width": _number(width), "height": _number(height), "viewBox": f"0 0 {_number(width)} {_number(height)}"}
    style = {"font_family": "DejaVu Sans, sans-serif", "font_size": "12", "fill": "#222"}
    drawn = element("svg", *(shape for group in shapes for shape in group), xmlns="http://www.w3.org/2000/svg", **size, **style)
    return picture(drawn.encode(), "svg+xml", alternative)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Markup:
    return _shape("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour)


def _text(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    return element("text", text, x=_number(x), y=_number(y), text_anchor=anchor)


def _shape(tag: str, **attributes: float | str) -> Markup:
    return element(tag, **{name: value if isinstance(value, str) else _number(value) for name, value in attributes.items()})


def _number(value: float) -> str:
    return f"{round(value, 1):g}"


def _heat(share: float) -> str:
    """The colour of a share of the most."""
    quarters = np.linspace(0, 1, len(HEAT))
    return "#" + "".join(f"{round(float(np.interp(share, quarters, channel))):02x}" for channel in zip(*HEAT, strict=True))


def _colour(label: str, labels: Sequence[str]) -> str:
    return NAMED.get(label) or COLOURS[labels.index(label) % len(COLOURS)]


def _short(name: str) -> str:
    """A name as it fits beside a chart, without the characters that SVG cannot hold."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return printable if len(printable) <= LABEL else printable[: LABEL - 1] + "…"
