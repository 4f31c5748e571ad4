"""The parts of the page that come from the lake and not from samples: what left and why, sources, how right labels are, how
long it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rsflow.report.dataset_card.card import QualityFacts
from rsflow.report.snapshot.charts import bar_chart, line_chart
from rsflow.report.snapshot.facts import FunnelStep, LakeFacts, MeasuredQuality, StageTime
from rsflow.report.snapshot.html import Markup, element, figure, table
from rsflow.report.snapshot.numbers import total
from rsflow.report.snapshot.picture_statistics import PICTURES, PictureStatistics
from rsflow.report.snapshot.sample_counts import SampleCounts
from rsflow.report.text.counts_table import by_count, format_bytes


def funnel_section(facts: LakeFacts) -> Iterator[Markup]:
    """From scenes to samples: rows in, kept and left at every step, by reason."""
    if facts.funnel:
        steps = [step for step in facts.funnel if step.rows_in]
        names = [f"{step.step}: {step.rows_in:,} {step.rows}" for step in steps]
        kept = [100 * step.kept / step.rows_in for step in steps]
        chart = bar_chart(
            names, {"kept": kept, "left": [100 - share for share in kept]}, "% of rows", "rows kept and left by step"
        )
        rows = [row for step in facts.funnel for row in _funnel_rows(step)]
        numbers = table(["step", "rows", "what became of them", "count"], rows, text_columns=3)
        yield figure(chart, "What was kept and what left at each step; the table below has the reasons.")
        yield numbers
    yield from (element("p", note) for note in facts.notes)


def _funnel_rows(step: FunnelStep) -> Iterator[list[str]]:
    yield [step.step, step.rows, "in", f"{step.rows_in:,}"]
    yield ["", "", "kept", f"{step.kept:,}"]
    yield from (["", "", reason.replace("_", " "), f"{number:,}"] for reason, number in by_count(step.left))


def sources_section(facts: LakeFacts, counts: SampleCounts) -> Iterator[Markup]:
    """Sources with what of them is in, licences of samples, and what licences ask to be named."""
    samples = total(counts.samples, 2)
    lines = [
        [one.name, one.sensor, one.licence, f"{one.scenes:,}", f"{one.tiles:,}", f"{samples[one.name]:,}"]
        for one in facts.sources
    ]
    known = {one.name for one in facts.sources}
    lines += [[name, "", "", "", "", f"{number:,}"] for name, number in by_count(samples) if name not in known]
    yield table(["source", "sensor", "licence", "scenes", "tiles", "samples"], lines, text_columns=3)
    yield element("h3", "Licences of the samples")
    yield table(["licence", "samples"], [[name, f"{number:,}"] for name, number in by_count(counts.licences)])
    yield element("h3", "Attribution")
    if counts.attributions:
        yield table(["to be named", "samples"], [[text, f"{number:,}"] for text, number in by_count(counts.attributions)])
    else:
        yield element("p", "No sample carries an attribution of its own beyond its source and licence.")


def splits_section(facts: LakeFacts, counts: SampleCounts) -> Iterator[Markup]:
    """The share that each split got of all samples and of each category's objects, beside the wanted one."""
    by_split = total(counts.samples, 0)
    splits = sorted({*by_split, *(facts.wanted or {})})
    rows = []
    if facts.wanted is not None:
        rows.append(["wanted", "", *(f"{facts.wanted.get(split, 0):.1%}" for split in splits)])
    rows.append(["samples", f"{by_split.total():,}", *(f"{by_split[split] / by_split.total():.1%}" for split in splits)])
    objects = total(counts.objects, 0, 2)
    for name, number in by_count(total(counts.objects, 0))[:40]:
        rows.append([f"objects: {name}", f"{number:,}", *(f"{objects[name, split] / number:.1%}" for split in splits)])
    yield table(["", "number", *splits], rows)


def bands_section(pictures: dict[str, PictureStatistics]) -> Iterator[Markup]:
    """Grey levels of pictures, and physical values of raw bands, by sensor."""
    for sensor, found in pictures.items():
        series = {name: (levels / levels.sum()).tolist() for name, levels in found.levels.items()}
        rows = [
            [name, f"{one.count:,}", f"{one.mean:.2f}", f"{one.deviation:.2f}", f"{one.least:g}", f"{one.most:g}"]
            for name, one in found.channels.items()
        ]
        numbers = table(["channel", "pixels", "mean", "deviation", "least", "most"], rows)
        caption = f"{sensor}: grey levels of {found.pictures:,} pictures, share of pixels."
        yield figure(line_chart(list(range(256)), series, "grey level", caption), caption, numbers)
        bands = [
            [
                band,
                unit or "stored",
                f"{one.count:,}",
                f"{one.mean:.5g}",
                f"{one.deviation:.5g}",
                f"{one.least:.5g}",
                f"{one.most:.5g}",
            ]
            for (band, unit), one in sorted(found.bands.items())
        ]
        if bands:
            yield table(["band", "unit", "valid pixels", "mean", "deviation", "least", "most"], bands, text_columns=2)
    yield element("p", f"Of each sensor the pictures of up to {PICTURES} samples, those with the smallest keys (hashes).")


def labellers_section(facts: LakeFacts) -> Iterator[Markup]:
    """Who made the labels, and how right labellers are: measured on this lake, and elsewhere."""
    if facts.origins:
        rows = [[name, f"{number:,}"] for name, number in by_count(facts.origins)]
        yield table(["labels of the lake by", "labels"], rows)
    if facts.measured:
        yield element("h3", "Measured on the annotated tiles of this lake (IoU 0.5)")
        head = ["labeller", "sensor", "category", "pictures", "true boxes", "boxes", "precision", "recall"]
        yield table(head, [_measured_row(one) for one in facts.measured], text_columns=3)
    if facts.quality:
        yield element("h3", "Measured elsewhere (IoU 0.3)")
        head = ["labeller", "sensor", "measured on", "precision", "recall", "F1"]
        yield table(head, [_quality_row(one) for one in facts.quality], text_columns=3)
    if not (facts.origins or facts.measured or facts.quality):
        yield element("p", "Nothing is known of the labellers.")


def _measured_row(one: MeasuredQuality) -> list[str]:
    counts = (f"{value:,}" for value in (one.pictures, one.true, one.found))
    return [one.labeller, one.sensor, one.category, *counts, _share(one.precision), _share(one.recall)]


def _quality_row(one: QualityFacts) -> list[str]:
    return [one.labeller, one.sensor, one.measured_on, f"{one.precision:.2f}", f"{one.recall:.2f}", f"{one.f1:.2f}"]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def time_section(stages: Iterable[StageTime]) -> Iterator[Markup]:
    """Seconds of workers and rows per second, per stage."""
    found = [one for one in stages if one.units]
    if not found:
        yield element("p", "The lake holds no times.")
        return
    slowest = sorted(found, key=lambda one: -one.seconds)[:20]
    names = [f"{one.step}: {one.stage}" for one in slowest]
    chart = bar_chart(names, {"seconds": [one.seconds for one in slowest]}, "seconds of workers", "seconds by stage")
    yield figure(chart, "Seconds of workers per stage, over all units of the lake.")
    yield table(
        ["step", "stage", "units", "rows", "seconds", "rows/s", "read"], [_stage_row(one) for one in found], text_columns=2
    )


def _stage_row(one: StageTime) -> list[str]:
    rate = f"{one.rows / one.seconds:,.1f}" if one.seconds else "–"
    return [one.step, one.stage, f"{one.units:,}", f"{one.rows:,}", f"{one.seconds:,.1f}", rate, format_bytes(one.bytes)]
