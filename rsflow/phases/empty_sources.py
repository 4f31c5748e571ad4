"""Sources that contribute nothing to the dataset, and at which step they lost everything.

One idea: a source that was configured but is empty in the end is almost always a mistake (a wrong pattern, a screen that is too
strict, an annotation format that matches nothing), so build and status name it with the reasons of its rejects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.planning.live_rows import LiveRows


def find_empty_sources(now: LiveRows, sources: Iterable[str], selected: bool) -> Iterator[tuple[str, str]]:
    """(source, why) of every source without a tile, without an instruction or, where `selected`, without a selected tile."""
    tiles, instructions = _count_tiles(now), _sum_kept(now.marks["instruct"], now.marks["generate"])
    outcomes = _count_outcomes(now) if selected else {}
    for source in sources:
        reasons = outcomes.get(source, Counter())
        if not tiles[source]:
            yield source, f"no tile; rejected: {_list_counts(_count_rejects(now, source))}"
        elif not instructions[source]:
            yield source, f"{tiles[source]:,} tiles, but no instruction: nothing is known about them that a task asks for"
        elif selected and not reasons["kept"]:
            yield source, f"{tiles[source]:,} tiles, but none is selected: {_list_counts(reasons)}"


def _count_tiles(now: LiveRows) -> Counter[str]:
    fit = pc.invert(pc.is_in(now.label["scene_id"], pa.array(sorted(now.rejected_scenes), pa.string())))
    return _sum_kept(now.label.filter(fit))


def _sum_kept(*marks: pa.Table) -> Counter[str]:
    sums = pa.concat_tables(marks).group_by("source").aggregate([("rows_kept", "sum")])
    return Counter(dict(zip(sums["source"].to_pylist(), sums["rows_kept_sum"].to_pylist(), strict=True)))


def _count_outcomes(now: LiveRows) -> dict[str, Counter[str]]:
    """By source, the reasons that the selection gives its tiles and groups; `kept` are those that are in."""
    rows = now.lake.read("selection", ["kind", "tile_id", "reason"], where={"kind": ["tile", "group"]})
    sources = now.samples(["tile_id", "source"])
    place = pc.index_in(rows["tile_id"], value_set=sources["tile_id"].combine_chunks())
    rows = rows.append_column("source", sources["source"].take(place))
    counted: dict[str, Counter[str]] = {}
    for row in rows.group_by(["source", "reason"]).aggregate([("tile_id", "count")]).to_pylist():
        counted.setdefault(row["source"], Counter())[row["reason"]] = row["tile_id_count"]
    return counted


def _count_rejects(now: LiveRows, source: str) -> Counter[str]:
    rejects = now.rejects()
    mine = rejects.filter(pc.equal(rejects["source"], source)).select(["kind", "reason"]).to_pylist()
    return Counter(f"{row['kind']}s {row['reason']}" for row in mine)


def _list_counts(counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {reason}" for reason, number in ordered) or "nothing"
