"""Charts of the page, drawn by matplotlib as SVG that is the same for the same numbers.

One idea: each function takes plain numbers and returns a picture within the page. SVG is shown as an image, so nothing that is
written on a chart can act on the page; texts are taken as they are (no TeX).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.report.snapshot.html import Markup, picture

Series = Mapping[str, Sequence[float]]

COLOURS = ("#2f6fb3", "#d9812a", "#3b8f5b", "#b3406b", "#7a5cb8", "#8a8a3a", "#3a9aa3", "#8c5a3c")
NAMED = {"optical": COLOURS[0], "sar": COLOURS[1], "infrared": COLOURS[3]}
NAMED |= {"train": COLOURS[0], "val": COLOURS[1], "test": COLOURS[2], "yes": COLOURS[2], "no": COLOURS[3]}
NAMED |= {"kept": COLOURS[2], "left": COLOURS[3], "red": "#c33", "green": "#393", "blue": "#36c", "grey": "#555"}
_STYLE: Any = {
    "svg.hashsalt": "rsflow",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e7ec",
    "legend.frameon": False,
}
_WIDTH = 6.4
_LEGEND_COLS = 4
FEWEST = 3  # bars: fewer say no more than their numbers, and a small build would spend most of its time on drawing them
_LABEL = 34  # characters of a name on a chart; the tables have it whole


def bar_chart(names: Sequence[str], series: Series, unit: str, alternative: str) -> Markup:
    """Horizontal bars, one per name from the top, each made of the series one after the other; none for fewer than FEWEST."""
    if len(names) < FEWEST:
        return Markup()

    def draw(axes: Any) -> None:
        left = np.zeros(len(names))
        for label, values in series.items():
            axes.barh(
                range(len(names)), values, left=left, label=_short(label), color=_colour(label, list(series)), height=0.72
            )
            left += np.asarray(values, dtype=float)
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlabel(unit)
        axes.grid(False, axis="y")

    return _chart(draw, 0.9 + 0.22 * len(names), alternative, legend=len(series) > 1)


def histogram_chart(edges: Sequence[str], series: Series, unit: str, alternative: str) -> Markup:
    """Columns over steps named by `edges` (where each begins), the series on top of each other; none where fewer than FEWEST
    are not empty."""
    if sum(any(column) for column in zip(*series.values(), strict=True)) < FEWEST:
        return Markup()

    def draw(axes: Any) -> None:
        bottom = np.zeros(len(edges))
        for label, values in series.items():
            colour = _colour(label, list(series))
            axes.bar(range(len(edges)), values, bottom=bottom, label=_short(label), color=colour, width=1.0, align="edge", lw=0)
            bottom += np.asarray(values, dtype=float)
        shown = range(0, len(edges), max(1, len(edges) // 12))
        axes.set_xticks(list(shown), [edges[step] for step in shown])
        axes.set_xlabel(unit)
        axes.grid(False, axis="x")

    return _chart(draw, 2.6, alternative, legend=len(series) > 1)


def line_chart(positions: Sequence[float], series: Series, unit: str, alternative: str) -> Markup:
    """A line per series over common positions."""

    def draw(axes: Any) -> None:
        for label, values in series.items():
            axes.plot(positions, values, label=_short(label), color=_colour(label, list(series)), lw=1.3)
        axes.set_xlabel(unit)
        axes.set_ylim(bottom=0)

    return _chart(draw, 2.4, alternative, legend=len(series) > 1)


def heat_map(cells: npt.NDArray[Any], alternative: str) -> Markup:
    """Counts over the cells (rows, cols) of a picture, its top row above."""

    def draw(axes: Any) -> None:
        shown = axes.imshow(cells, cmap="viridis", interpolation="nearest", vmin=0)
        axes.figure.colorbar(shown, ax=axes, shrink=0.8)
        axes.set_xticks([]), axes.set_yticks([])
        axes.grid(False)

    return _chart(draw, 3.0, alternative, width=3.8)


def map_chart(places: Mapping[str, npt.NDArray[np.float64]], alternative: str) -> Markup:
    """Points (n, 2) of longitude and latitude per name, on a plain graticule. Points are drawn as pixels, so a chart of a
    million of them is no larger."""

    def draw(axes: Any) -> None:
        for label, points in places.items():
            colour = _colour(label, list(places))
            size = 14 if len(points) < 2000 else 2
            axes.scatter(points[:, 0], points[:, 1], s=size, color=colour, label=_short(label), lw=0, rasterized=True)
        middle = float(np.mean(axes.get_ylim()))
        axes.set_aspect(1 / max(0.05, np.cos(np.radians(middle))), adjustable="datalim")
        axes.ticklabel_format(useOffset=False)
        axes.tick_params(axis="x", rotation=20)
        axes.set_xlabel("longitude, degrees east"), axes.set_ylabel("latitude, degrees north")

    return _chart(draw, 4.4, alternative, legend=True)


def _chart(draw: Callable[[Any], None], height: float, alternative: str, legend: bool = False, width: float = _WIDTH) -> Markup:
    """What `draw` puts on one pair of axes, `width` × `height` inches, as an image of the page."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.add_subplot()
        draw(axes)
        # Margins in inches by the length of the labels: matplotlib's own layouts draw everything twice.
        legend_rows = -(-len(axes.get_legend_handles_labels()[0]) // _LEGEND_COLS) if legend else 0
        longest = max((len(tick.get_text()) for tick in axes.get_yticklabels()), default=0)
        figure.subplots_adjust(
            left=(0.35 + 0.072 * max(longest, 4) + 0.2 * bool(axes.get_ylabel())) / width,
            right=1 - 0.3 / width,
            bottom=(0.5 + 0.2 * bool(axes.get_ylabel())) / height,
            top=1 - (0.15 + 0.18 * legend_rows) / height,
        )
        if legend:
            figure.legend(loc="upper right", ncols=_LEGEND_COLS, markerscale=1.5)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=150)
    return picture(buffer.getvalue(), "svg+xml", alternative)


def _colour(label: str, labels: Sequence[str]) -> str:
    return NAMED.get(label) or COLOURS[labels.index(label) % len(COLOURS)]


def _short(name: str) -> str:
    """A name as it fits beside a chart, without the characters that SVG cannot hold."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return printable if len(printable) <= _LABEL else printable[: _LABEL - 1] + "…"
