"""What a build will see of a source, in words: a part of the text of `rsflow plan`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rsflow.planning.estimates.source_outlook import SourceOutlook

VARIANTS = 3  # of what scenes differ in, that a line lists


def source_lines(source: SourceOutlook) -> Iterator[str]:
    """What a build will see of a source, in lines."""
    samples = " at most" if source.samples is None else f", about {source.samples:,} samples"
    yield f"source {source.name} ({source.sensor}, {source.licence}): {source.scenes:,} scenes, {source.tiles:,} tiles{samples}"
    gsd = "not known" if source.gsd_m is None else " to ".join(f"{value:.4g}" for value in dict.fromkeys(source.gsd_m))
    dates = "none" if source.dates is None else " to ".join(dict.fromkeys(source.dates))
    facts = {
        "bands": _variants(source.bands),
        "pixels": f"{_variants(source.sizes)}; {_variants(source.dtypes)}; metres per pixel {gsd}",
        "values": f"unit {_variants(source.units)}; calibrated by {_variants(source.calibration)}",
        "dates": dates + (f"; {source.undated:,} scenes without" if source.undated else ""),
        "annotations": f"{source.labels:,} labels on {source.pictures:,} scenes" if source.pictures else "",
        "no place": f"{source.unplaced:,} scenes" if source.unplaced else "",
    }
    yield from (f"    {name:12} {text}" for name, text in facts.items() if text and source.scenes)


def _variants(counts: Mapping[str, int]) -> str:
    """The commonest of what scenes differ in."""
    shown = [name if len(counts) == 1 else f"{name} ({number:,})" for name, number in list(counts.items())[:VARIANTS]]
    return ", ".join([*shown, *([f"{len(counts) - VARIANTS} more"] if len(counts) > VARIANTS else [])])
