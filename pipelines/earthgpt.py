"""EarthGPT's stages on a snapshot, as a program for a cluster job.

    python pipelines/earthgpt.py ROOT OUTPUT --vit DIR --cnn DIR --text DIR [--size-px 224] [stage_2.key=value ...]
    python pipelines/earthgpt.py ROOT OUTPUT --small [stage_3.key=value ...]

The parts are checkpoints of transformers: a DINOv2 ViT, a ConvNeXt, a LLaMA-type decoder; `--small` makes one of random
weights instead, to see the stages run. Run again, it goes on where it was. The result is scored by `rsflow evaluate
OUTPUT/stage-3/model ROOT`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rsflow.config.yaml_file import parse_overrides
from rsflow.errors import RsflowError
from rsflow.models.earthgpt.assemble import assemble
from rsflow.models.earthgpt.small import SmallSize, write_small_checkpoint
from rsflow.training.earthgpt_stages import run_stages
from rsflow.training.texts import read_texts


def main() -> None:
    parser = argparse.ArgumentParser(description="Train EarthGPT's stages on a snapshot.")
    parser.add_argument("root")
    parser.add_argument("output")
    parser.add_argument("--vit", help="checkpoint of a DINOv2 ViT")
    parser.add_argument("--cnn", help="checkpoint of a ConvNeXt")
    parser.add_argument("--text", help="checkpoint of a LLaMA-type decoder")
    parser.add_argument("--size-px", type=int, default=224)
    parser.add_argument("--small", action="store_true", help="a model of random weights instead")
    parser.add_argument("overrides", nargs="*", metavar="stage_2.key=value")
    given = parser.parse_intermixed_args()
    base = Path(given.output, "base")
    if not (base / "config.json").exists():
        if given.small:
            write_small_checkpoint(base, read_texts(given.root, "train", "mmrs"), SmallSize(), seed=0)
        elif given.vit and given.cnn and given.text:
            assemble(given.vit, given.cnn, given.text, base, given.size_px)
        else:
            parser.error("give --vit, --cnn and --text, or --small")
    changes = parse_overrides(given.overrides)
    shared = {"root": given.root, "base_model": str(base), "output": given.output}
    outcome = run_stages(shared, changes.get("stage_2", {}), changes.get("stage_3", {}))
    print(f"wrote {outcome.model}")


if __name__ == "__main__":
    try:
        main()
    except RsflowError as error:
        sys.exit(f"error: {error}")
