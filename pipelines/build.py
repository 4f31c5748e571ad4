"""The whole build as a program for `ray job submit`: label, select, shard, then the summary.

    ray job submit --working-dir . -- python pipelines/build.py CONFIG [key=value ...]

It is `rsflow build` and nothing else; the cluster is the one that the job runs on.
"""

from __future__ import annotations

import sys

from rsflow.cli import run

if __name__ == "__main__":
    run(["build", *sys.argv[1:]])
