"""Whether splits can be met, from where the scenes lie, before a tile is cut.

One idea: tiles of one ground cell, or of one scene of unknown ground, go to one split together, so there must be at least as
many such groups as splits, and a split of share s needs about 1/s of them. Cells are counted from points over footprints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.planning.plan import Plan
from rsflow.spatial.geometry import ground_cells

POINTS = 24  # along each side of a scene: cells narrower than a twenty-fourth of it are counted too few


def find_split_warnings(built: BuildConfig, plan: Plan) -> Iterator[str]:
    """One line where there are fewer groups of tiles than splits, or too few for the smallest share."""
    shares = {name: share for name, share in built.select.splits.items() if share > 0}
    own = {picture.split for joined in plan.annotated.values() for picture in joined.pictures.values()} - {None}
    if len(shares) < 2 or own & built.select.source_splits.keys():
        return
    name, least = min(shares.items(), key=lambda item: (item[1], item[0]))
    scenes = plan.scenes.filter(pc.is_null(plan.scenes["probe_reason"]))
    footprints = [footprint for footprint in scenes["footprint"].to_pylist() if footprint]
    cells: set[tuple[int, ...]] = set()
    for footprint in footprints:
        groups = len(cells) + scenes.num_rows - len(footprints)
        if groups >= len(shares) and least * groups >= 0.5:
            return  # a large archive has enough groups in its first scenes
        cells |= _cells(footprint, built.tiles.cell_km)
    groups = len(cells) + scenes.num_rows - len(footprints)
    where = f"about {groups:,} groups that stay together (ground cells of {built.tiles.cell_km:g} km, scenes without a place)"
    advice = "set tiles.cell_km smaller, or ask for fewer splits" if cells else "add scenes, or ask for fewer splits"
    if groups < len(shares):
        yield f"splits {', '.join(shares)} cannot be met: tiles form {where}; {advice}"
    elif least * groups < 0.5:
        yield f"split {name} is to have {least:.1%}, but tiles form {where}: it may stay empty or be too large; {advice}"


def _cells(footprint: Sequence[float], cell_km: float) -> set[tuple[int, ...]]:
    """The cells of points over a footprint (a flat ring of lon, lat), taken for the quadrangle of its four corners."""
    ring = np.asarray(footprint, dtype=float).reshape(-1, 2)
    corners = ring[[0, len(ring) // 4, len(ring) // 2, 3 * len(ring) // 4]]
    steps = (np.arange(POINTS) + 0.5) / POINTS
    down, across = (each[..., np.newaxis] for each in np.meshgrid(steps, steps, indexing="ij"))
    top, bottom = corners[0] * (1 - across) + corners[1] * across, corners[3] * (1 - across) + corners[2] * across
    points = (top * (1 - down) + bottom * down).reshape(-1, 2)
    return set(map(tuple, ground_cells(points[:, 0], points[:, 1], cell_km).tolist()))
