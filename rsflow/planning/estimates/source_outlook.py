"""What a build will see of every source, before it starts: scenes, tiles, bands, sizes, dates, units, annotations, and faults.

One idea: everything is read off the plan, which opened every new scene and read every annotation, so the outlook is what
a build works with. What makes a source empty or smaller than it seems is a warning, one line each, naming the source.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rsflow.config.settings import BuildConfig, Source
from rsflow.ground.geometry.geometries import REPAIRED
from rsflow.lake.tables import Lake
from rsflow.planning.plan import Plan
from rsflow.planning.sources.annotation_rejects import annotation_rejects
from rsflow.planning.sources.zoom_scales import stored_scene_id
from rsflow.readers.products import PRODUCTS

FIRST_YEAR = 1940  # older dates are no acquisitions of such pictures
SHOWN = 3  # variants that a line lists


@dataclass(frozen=True, slots=True)
class SourceOutlook:
    """One source as a build would see it. `tiles`: windows of all its scenes; at most as many samples come of them. `samples`:
    expected, going by the share of windows that the last selection took; None before there was one.

    `bands`, `sizes`, `dtypes`, `units`, `calibration`: variants with their number of scenes, the commonest first. `gsd_m`: the
    least and the largest. `dates`: the first and the last day; `undated` scenes have none. `unplaced` scenes have no place on
    the ground. `pictures` and `labels` of annotations; `lost`: annotation records and times by reason; `rejected`: scenes.
    """

    name: str
    sensor: str
    licence: str
    scenes: int
    tiles: int
    samples: int | None
    bands: Mapping[str, int]
    sizes: Mapping[str, int]
    dtypes: Mapping[str, int]
    units: Mapping[str, int]
    calibration: Mapping[str, int]
    gsd_m: tuple[float, float] | None
    dates: tuple[str, str] | None
    undated: int
    unplaced: int
    pictures: int
    labels: int
    rejected: Mapping[str, int]
    lost: Mapping[str, int]


def describe_sources(built: BuildConfig, plan: Plan, lake: Lake | None) -> tuple[SourceOutlook, ...]:
    """All sources, in the order of the configuration. `lake`: whose last selection gives the number of samples to expect."""
    shares = _selected_shares(plan, lake) if lake else {}
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    for name, _, rows in annotation_rejects(plan):
        lost[name] = Counter(row["reason"] for row in rows)
    scenes: dict[str, list[dict[str, Any]]] = {source.name: [] for source in built.sources}
    for row in plan.scenes.to_pylist():
        if stored_scene_id(row["scene_id"]) == row["scene_id"]:  # coarser scales are no further scenes
            scenes[row["source"]].append(row)
    tiles: Counter[str] = Counter()
    for unit in plan.units:
        tiles[unit.source] += len(unit.windows)
    return tuple(
        _describe(source, scenes[source.name], tiles[source.name], shares.get(source.name), plan, _ranked(lost[source.name]))
        for source in built.sources
    )


def _selected_shares(plan: Plan, lake: Lake) -> dict[str, float]:
    """By source, the share of the windows labelled so far of which the last selection took the tile."""
    selected = lake.read("selection", ["subject"], where={"kind": "tile", "selected": True})["subject"].to_pylist()
    taken = Counter(tile.partition(".")[0] for tile in selected)  # a tile's id begins with its source
    windows: Counter[str] = Counter()
    for row in plan.marks.select(["step", "source", "rows_in"]).to_pylist():
        windows[row["source"]] += row["rows_in"] if row["step"] == "label" else 0
    return {source: min(1.0, taken[source] / number) for source, number in windows.items() if number and selected}


def _describe(
    source: Source, rows: Sequence[dict[str, Any]], tiles: int, share: float | None, plan: Plan, lost: Mapping[str, int]
) -> SourceOutlook:
    good = [row for row in rows if not row["probe_reason"]]
    joined = plan.annotated.get(source.name)
    pictures = list(joined.pictures.values()) if joined else []
    distances = [row["gsd_m"] for row in good if row["gsd_m"]]
    days = sorted(row["acquired_at"].date().isoformat() for row in good if row["acquired_at"])
    return SourceOutlook(
        name=source.name,
        sensor=source.sensor,
        licence=source.licence or ", ".join(sorted({row["licence"] for row in good})),
        scenes=len(good),
        tiles=tiles,
        samples=None if share is None else round(tiles * share),
        bands=_ranked(Counter(", ".join(row["bands"]) for row in good)),
        sizes=_ranked(Counter(f"{row['width_px']} x {row['height_px']}" for row in good)),
        dtypes=_ranked(Counter(row["dtype"] for row in good)),
        units=_ranked(Counter(row["unit"] or "none" for row in good)),
        calibration=_ranked(Counter(_calibration(row) for row in good)),
        gsd_m=(min(distances), max(distances)) if distances else None,
        dates=(days[0], days[-1]) if days else None,
        undated=len(good) - len(days),
        unplaced=sum(not row["footprint"] for row in good),
        pictures=len(pictures),
        labels=sum(len(picture.labels) for picture in pictures),
        rejected=_ranked(Counter(row["probe_reason"] for row in rows if row["probe_reason"])),
        lost=lost,
    )


def _calibration(row: Mapping[str, Any]) -> str:
    """Where scale and offset of a scene's bands come from."""
    return ", ".join(sorted({band["origin"] or "none" for band in row["calibration"] or ()})) or "none"


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def find_warnings(built: BuildConfig, sources: Sequence[SourceOutlook], unanswered: Collection[str] = ()) -> Iterator[str]:
    """What will be empty, lost or other than it seems; each line names its source and what to do.

    `unanswered`: sources whose catalogue or API does not answer, of which nothing is known."""
    for source, outlook in zip(built.sources, sources, strict=True):
        if source.name in unanswered:
            continue
        for warning in (
            *_empty_warnings(built, source, outlook),
            *_scene_warnings(outlook),
            *_product_warnings(source, outlook),
            *_calibration_warnings(source, outlook),
            *_annotation_warnings(built, outlook),
        ):
            yield f"{source.name}: {warning}"


def _empty_warnings(built: BuildConfig, source: Source, outlook: SourceOutlook) -> Iterator[str]:
    if not outlook.scenes:
        rejected = sum(outlook.rejected.values())
        yield f"comes out empty: none of its {rejected:,} scenes can be opened ({_counts(outlook.rejected)})"
    elif not outlook.tiles:
        yield "comes out empty: no tile can be cut from its scenes"
    elif not (source.annotations or source.labellers or built.generation or built.transfer):
        yield "comes out empty: it has neither annotations nor labellers, so nothing can be asked about its tiles"
    elif not (outlook.labels or source.labellers or source.ground_layers or built.generation or built.transfer):
        yield "comes out empty: its annotations hold no label for its scenes, and it has no labellers"
    if source.licence and not built.select.allows(source.licence):
        yield f"no sample may be used: select.allow_licences does not allow {source.licence}"


def _calibration_warnings(source: Source, outlook: SourceOutlook) -> Iterator[str]:
    names = [entry["name"] for entry in source.labellers if entry.get("name") == "spectral" and not entry.get("offset")]
    if names and (count := outlook.units.get("dn")):
        yield (
            f"labeller spectral claims nothing of {count:,} scenes whose numbers are not calibrated (unit dn): set "
            "scenes.unit: reflectance with scenes.scale and scenes.offset, or scenes.product"
        )


def _scene_warnings(outlook: SourceOutlook) -> Iterator[str]:
    if outlook.scenes and outlook.rejected:
        yield f"{sum(outlook.rejected.values()):,} scenes cannot be opened ({_counts(outlook.rejected)})"
    for what, variants in (("bands", outlook.bands), ("pixel types", outlook.dtypes), ("units", outlook.units)):
        if len(variants) > 1:
            yield f"its scenes differ in {what}: {_counts(variants, 'scenes')}; give each kind a source, unless that is meant"
    if outlook.dates and outlook.undated:
        yield f"{outlook.undated:,} of {outlook.scenes:,} scenes have no date: scenes.acquired_at can tell where it stands"
    if outlook.dates:
        last = datetime.now(UTC).date().isoformat()
        for day in dict.fromkeys(outlook.dates):
            if day > last or int(day[:4]) < FIRST_YEAR:
                yield f"a scene is dated {day}: correct scenes.acquired_at, or the time in the file"


def _product_warnings(source: Source, outlook: SourceOutlook) -> Iterator[str]:
    if source.scenes.product is None or source.scenes.bands:
        return
    delivered = PRODUCTS[source.scenes.product].delivered
    missing: Counter[str] = Counter()
    for bands, count in outlook.bands.items():
        missing[", ".join(sorted(delivered.difference(bands.split(", "))))] += count
    del missing[""]
    advice = "add the files, or name the bands to read in scenes.bands"
    for bands, count in list(_ranked(missing).items())[:SHOWN]:
        yield f"{count:,} {'product lacks' if count == 1 else 'products lack'} the bands {bands}: {advice}"
    if more := sum(list(_ranked(missing).values())[SHOWN:]):
        yield f"{more:,} further {'product lacks' if more == 1 else 'products lack'} other bands: {advice}"


def _annotation_warnings(built: BuildConfig, outlook: SourceOutlook) -> Iterator[str]:
    left = dict(outlook.lost)
    if cut := left.pop("picture_is_cut", 0):
        longest = max(max(map(int, size.split(" x "))) for size in outlook.sizes) if outlook.sizes else 0
        yield (
            f"{cut:,} captions, classes or questions about whole pictures are lost, for the pictures are cut into tiles: "
            f"tiles.whole_up_to_px={longest} keeps pictures up to that size whole (it is {built.tiles.whole_up_to_px})"
        )
    if repaired := left.pop(REPAIRED, 0):
        yield f"{repaired:,} features have invalid geometries: they are repaired and kept"
    if left:
        yield f"annotation records are lost: {_counts(left)} (`rsflow rejects ROOT` lists them after a build)"


def _counts(variants: Mapping[str, int], unit: str = "") -> str:
    shown = [f"{name} ({number:,}{' ' + unit if unit else ''})" for name, number in list(variants.items())[:SHOWN]]
    return "; ".join([*shown, *([f"{len(variants) - SHOWN} more"] if len(variants) > SHOWN else [])])
