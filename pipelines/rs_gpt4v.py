"""RS-GPT4V's dataset again, from whatever of its ten sources is there: `configs/rs_gpt4v.yaml`, built.

    RSFLOW_SOURCES=/data/sources python pipelines/rs_gpt4v.py [key=value ...]

It is `rsflow build` with that recipe and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rsflow.cli import run

RECIPE = Path(__file__).parents[1] / "configs" / "rs_gpt4v.yaml"

if __name__ == "__main__":
    run(["build", str(RECIPE), *sys.argv[1:]])
