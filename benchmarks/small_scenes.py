"""Many scenes of one tile each beside a plain loop over them, and beside one large scene of as many tiles; and planning them.

The label phase without labellers and the plain loop do the work that `benchmarks/label.py` tells: each opens every file, takes
its percentiles, cuts, stretches, screens, signs and encodes. Rates are tiles per CPU second of one process. Then the lake of
the small scenes is planned again, where every scene is known.

Run it as `python benchmarks/small_scenes.py [--scenes 400]`; it ends with 1 where the label phase reaches less than SMALL_CLAIM
x the tiles per second of the plain loop, or planning takes more than PLAN_CLAIM milliseconds for a known scene.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from label import TILE, plain_loop, write_scene

from rsflow.config.settings import BuildConfig, Engine, Scenes, Source, Tiles
from rsflow.lake.tables import find_lake
from rsflow.phases.build import plan_build, run

SMALL_CLAIM = 0.7  # of the plain loop's tiles per CPU second
PLAN_CLAIM = 0.3  # milliseconds per known scene
WARM_UP = 4  # scenes that are labelled first: imports and tables of the process cost both sides nothing


def label_build(scenes: Path, root: Path) -> BuildConfig:
    source = Source("bench", "optical", "CC0-1.0", Scenes((f"{scenes}/*.tif",), bands={"red": 1, "green": 2, "blue": 3}))
    return BuildConfig(str(root), (source,), tiles=Tiles(TILE), engine=Engine(kind="inline"))


def label_phase(scenes: Path, root: Path) -> None:
    """The label phase, planned before."""
    run(label_build(scenes, root), ["label"])


def cpu_seconds(function: Callable[..., Any], *arguments: Any) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=400, help="a square number (default 400)")
    side = round(parser.parse_args().scenes ** 0.5)
    tiles = side * side
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, count, px in (("warm", WARM_UP, TILE), ("small", tiles, TILE), ("large", 1, side * TILE)):
            (folder / kind).mkdir()
            for number in range(count):
                write_scene(folder / kind / f"{number}.tif", px, number)
        label_phase(folder / "warm", folder / "lake-warm")
        plain = tiles / cpu_seconds(plain_loop, sorted((folder / "small").glob("*.tif")), folder / "plain")
        small, large = (tiles / cpu_seconds(label_phase, folder / kind, folder / f"lake-{kind}") for kind in ("small", "large"))
        built = label_build(folder / "small", folder / "lake-small")
        plan_ms = cpu_seconds(lambda: plan_build(built, find_lake(built.root))) * 1000 / tiles
    print(f"tiles per CPU second of {tiles} scenes: plain loop {plain:.1f}, rsflow {small:.1f} ({small / plain:.2f} x)")
    print(f"of one scene: rsflow {large:.1f}")
    print(f"planning: {plan_ms:.2f} ms per known scene")
    return int(small < SMALL_CLAIM * plain or plan_ms > PLAN_CLAIM)


if __name__ == "__main__":
    sys.exit(main())
