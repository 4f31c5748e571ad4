"""MMRS-1M again, the dataset of EarthGPT, from whatever of its thirty-four sources is there: `configs/mmrs_1m.yaml`, built.

    RSFLOW_SOURCES=/data/sources python pipelines/mmrs_1m.py [key=value ...]

It is `rsflow build` with that recipe and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rsflow.cli import run

RECIPE = Path(__file__).parents[1] / "configs" / "mmrs_1m.yaml"

if __name__ == "__main__":
    run(["build", str(RECIPE), *sys.argv[1:]])
