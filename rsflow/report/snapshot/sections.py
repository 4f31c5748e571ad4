"""The parts of the page about samples: what they show, say, answer, where and when they are.

One idea: a section is a function from counters to its heading and figures; each figure has the numbers that it was drawn from
folded beneath it, so that nothing has to be read off a chart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rsflow.report.snapshot.charts import bar_chart, heat_map, histogram_chart, map_chart
from rsflow.report.snapshot.html import Markup, element, figure, table
from rsflow.report.snapshot.numbers import total
from rsflow.report.snapshot.sample_counts import POSITION_CELLS, SampleCounts
from rsflow.report.text.counts_table import by_count, sensors_of, tally_table

SHOWN = 25  # rows of a chart; tables have up to TABLE
TABLE = 200
PLACES = 50_000  # points per split on the map, at most
UNKNOWN, NO_NAME = "unknown", "(none)"


def tasks_section(counts: SampleCounts) -> Iterator[Markup]:
    """Samples and instructions by task, sensor, split and source."""
    tally = total(counts.instructions, 1, 2)
    head, *rows = tally_table(tally)
    tasks, sensors = [row[0] for row in rows[:-1]], sensors_of(tally)
    series = {sensor: [tally[task, sensor] for task in tasks] for sensor in sensors}
    chart = bar_chart(tasks, series, "instructions", "instructions by task and sensor")
    yield figure(chart, "Instructions by task and sensor.", table(["task", *head[1:]], rows))
    by_split = total(counts.instructions, 0, 1)
    splits = sorted({split for split, _ in by_split})
    shares = {split: [by_split[split, task] for task in tasks] for split in splits}
    split_rows = [[task, *(f"{by_split[split, task]:,}" for split in splits)] for task in tasks]
    chart = bar_chart(tasks, shares, "instructions", "instructions by task and split")
    yield figure(chart, "Instructions by task and split.", table(["task", *splits], split_rows))
    yield _count_chart(total(counts.samples, 2), counts.samples, 2, 1, "samples", "source", "Samples by source and sensor.")


def objects_section(counts: SampleCounts) -> Iterator[Markup]:
    """Categories, sizes and positions of the objects, and how many a sample has."""
    if not counts.objects:
        yield element("p", "No object with a box is known in these samples.")
        return
    yield _count_chart(
        total(counts.objects, 0),
        counts.objects,
        0,
        1,
        "objects",
        "category",
        "Objects by category and sensor: all that are known.",
    )
    yield _size_chart(counts.sizes_px, "px", "Sizes of objects: square root of width × height, in pixels.")
    if counts.sizes_m:
        yield _size_chart(counts.sizes_m, "m", "Sizes of objects on the ground, where the size of a pixel is known.")
    cells = np.zeros((POSITION_CELLS, POSITION_CELLS), dtype=np.int64)
    for (row, col), number in counts.positions.items():
        cells[row, col] = number
    rows = [[str(row), *(f"{value:,}" for value in cells[row])] for row in range(POSITION_CELLS)]
    grid = table(["row", *map(str, range(POSITION_CELLS))], rows)
    yield figure(
        heat_map(cells, "positions of objects in their pictures"), "Where in its picture the centre of an object lies.", grid
    )
    yield _number_chart(counts.objects_per_sample, "objects", "samples", "Objects of a sample.")


def text_section(counts: SampleCounts) -> Iterator[Markup]:
    """Lengths of questions and answers, and the words of answers."""
    for role, title in (("assistant", "answer"), ("user", "question")):
        lengths: Counter[int] = Counter({n: c for (of, n), c in total(counts.words, 1, 2).items() if of == role})
        tasks = sorted({task for task, of, _ in counts.words if of == role})
        rows = [
            [task, *_quantiles({n: c for (t, r, n), c in counts.words.items() if (t, r) == (task, role)})] for task in tasks
        ]
        numbers = table(["task", "turns", "mean", "median", "95 %", "longest"], rows)
        yield _number_chart(lengths, "words", "turns", f"Words of {title}s.", numbers)
    different, total_words = len(counts.vocabulary), sum(counts.vocabulary.values())
    caption = f"The commonest of {different:,} different words in {total_words:,} words of answers."
    yield _simple_bars(counts.vocabulary, "times", "word", caption)


def answers_section(counts: SampleCounts) -> Iterator[Markup]:
    """How answers are balanced, per kind of question and category."""
    kinds = sorted({kind for kind, _, _ in counts.answers})
    if "yes_no" in kinds:
        yield _yes_no_chart(
            Counter({(name, value): n for (kind, name, value), n in counts.answers.items() if kind == "yes_no"})
        )
    for kind in kinds:
        if kind != "yes_no":
            values: Counter[str] = Counter()
            for (each, name, value), number in counts.answers.items():
                if each == kind:
                    values[f"{name.replace('_', ' ')}: {value}" if kind == "fact" else value] += number
            yield _simple_bars(values, "answers", "answer", f"Answers to questions of the kind {kind.replace('_', ' ')}.")


def _yes_no_chart(counts: Counter[tuple[str, str]]) -> Markup:
    sizes = total(counts, 0)
    names = [name for name, _ in by_count(sizes)]
    rows = [_yes_no_row(name, counts[name, "yes"], counts[name, "no"]) for name in names[:TABLE]]
    series = {value: [counts[name, value] for name in names[:SHOWN]] for value in ("yes", "no")}
    chart = bar_chart([name or NO_NAME for name in names[:SHOWN]], series, "answers", "yes and no by category")
    caption = _clipped("Yes and no, by the category that is asked about.", len(names))
    return figure(chart, caption, table(["category", "yes", "no", "yes share"], rows))


def place_section(counts: SampleCounts) -> Iterator[Markup]:
    """The map of splits, dates and ground sample distances."""
    points = {split: np.asarray(values).reshape(-1, 2) for split, values in sorted(counts.places.items())}
    if points:
        sizes = [
            [split, f"{len(where):,}", *map(_degrees, (*where.min(axis=0), *where.max(axis=0)))]
            for split, where in points.items()
        ]
        shown = {split: where[:: -(-len(where) // PLACES)] for split, where in points.items()}
        head = ["split", "samples", "west", "south", "east", "north"]
        note = f" {counts.unplaced:,} samples have no known place." if counts.unplaced else ""
        yield figure(map_chart(shown, "map of samples by split"), f"Middles of samples, by split.{note}", table(head, sizes))
    else:
        yield element("p", "No sample has a known place on the ground.")
    months = {month or UNKNOWN: number for month, number in sorted(counts.months.items())}
    rows = [[month, f"{number:,}"] for month, number in months.items()]
    chart = bar_chart([*months][:60], {"samples": [*months.values()][:60]}, "samples", "samples by month")
    yield figure(chart, "Samples by month of acquisition.", table(["month", "samples"], rows))
    yield _size_chart(counts.gsd, "m", "Ground sample distance (metres per pixel) of samples.", "samples")


def _yes_no_row(name: str, yes: int, no: int) -> list[str]:
    return [name or NO_NAME, f"{yes:,}", f"{no:,}", f"{yes / (yes + no):.1%}"]


def _degrees(value: float) -> str:
    return f"{value:.4f}"


def _count_chart(
    sizes: Counter[str],
    counter: Counter[tuple[str, str, str]],
    name_at: int,
    series_at: int,
    unit: str,
    what: str,
    caption: str,
) -> Markup:
    """Bars of the commonest names in series, and a table with a column per series."""
    by_series = total(counter, name_at, series_at)
    names, labels = [name for name, _ in by_count(sizes)], sorted({label for _, label in by_series})
    series = {label: [by_series[name, label] for name in names[:SHOWN]] for label in labels}
    rows = [[name, *(f"{by_series[name, label]:,}" for label in labels), f"{sizes[name]:,}"] for name in names[:TABLE]]
    return figure(
        bar_chart(names[:SHOWN], series, unit, caption), _clipped(caption, len(names)), table([what, *labels, "all"], rows)
    )


def _simple_bars(counter: Counter[str], unit: str, what: str, caption: str) -> Markup:
    ranked = by_count(counter)
    shown = ranked[:SHOWN]
    rows = [[name or NO_NAME, f"{number:,}"] for name, number in ranked[:TABLE]]
    chart = bar_chart([name or NO_NAME for name, _ in shown], {unit: [number for _, number in shown]}, unit, caption)
    return figure(chart, _clipped(caption, len(ranked)), table([what, unit], rows))


def _clipped(caption: str, rows: int) -> str:
    more = f" The chart shows {SHOWN} of {rows:,}" if rows > SHOWN else ""
    return caption + more + (f", the table {TABLE}." if rows > TABLE else "." if more else "")


def _size_chart(counter: Counter[tuple[str, int]], unit: str, caption: str, of: str = "objects") -> Markup:
    """Lengths in half octaves, by sensor."""
    steps = sorted({step for _, step in counter if step > -1000})
    sensors = sensors_of({("", sensor): 1 for sensor, _ in counter})
    every = range(steps[0], steps[-1] + 1) if steps else range(0)
    edges = [_length(2 ** (step / 2)) for step in every]
    series = {sensor: [counter[sensor, step] for step in every] for sensor in sensors}
    rows = [
        [f"{edge} {unit}", *(f"{counter[sensor, step]:,}" for sensor in sensors)]
        for edge, step in zip(edges, every, strict=True)
    ]
    if any(step == -1000 for _, step in counter):
        rows.append([UNKNOWN, *(f"{counter[sensor, -1000]:,}" for sensor in sensors)])
    numbers = table(["from", *sensors], rows)
    if not steps:
        return element("div", element("p", f"{caption} None is known."), numbers)
    return figure(histogram_chart(edges, series, f"{unit} (each column begins at its number), {of}", caption), caption, numbers)


def _length(value: float) -> str:
    return f"{value:.3g}"


def _number_chart(counter: Counter[int], unit: str, of: str, caption: str, *numbers: Markup) -> Markup:
    """Whole numbers: one column each up to 60, else steps of equal width."""
    most = max(counter)
    width = max(1, -(-(most + 1) // 60))
    columns = [0] * (most // width + 1)
    for value, number in counter.items():
        columns[value // width] += number
    edges = [str(column * width) for column in range(len(columns))]
    chart = histogram_chart(edges, {of: columns}, f"{unit}, by number of {of}", caption)
    rows = [[edge, f"{number:,}"] for edge, number in zip(edges, columns, strict=True) if number]
    return figure(chart, caption, *numbers, table([f"{unit} from", of], rows))


def _quantiles(counts: dict[int, int]) -> Sequence[str]:
    values = np.repeat(np.array(sorted(counts)), [counts[length] for length in sorted(counts)])
    middle, high = np.quantile(values, [0.5, 0.95])
    return [f"{len(values):,}", f"{values.mean():.1f}", f"{middle:g}", f"{high:g}", f"{values.max()}"]


def sections(counts: SampleCounts) -> Iterable[tuple[str, Iterable[Markup]]]:
    """Titles with their content."""
    yield "Tasks", tasks_section(counts)
    yield "Objects", objects_section(counts)
    yield "Texts", text_section(counts)
    yield "Balance of answers", answers_section(counts)
    yield "Places and dates", place_section(counts)
