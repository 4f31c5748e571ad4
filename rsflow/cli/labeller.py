"""The commands about a labeller of one's own: train-labeller and suggest."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from rsflow.cli.options import Json, Root


def train_labeller(
    root: Root,
    task: Annotated[str, Option(metavar="T", help="detection, segmentation or classification")],
    source: Annotated[str, Option(metavar="NAME", help="the annotated source to learn from")],
    output: Annotated[str, Option("-o", "--output", metavar="DIR", help="for the checkpoint")] = "labeller",
    base: Annotated[
        str, Option(metavar="DIR", help="a checkpoint of transformers to fine-tune (default: a small network from scratch)")
    ] = "",
    category: Annotated[list[str] | None, Option(metavar="C", help="learn only this one; may be given several times")] = None,
    steps: Annotated[int | None, Option(metavar="N", help="of training; 6000 from scratch, 800 from a checkpoint")] = None,
    batch: Annotated[int, Option(metavar="N", help="crops of a step")] = 4,
    crop: Annotated[int, Option(metavar="PX", help="the side of a training crop")] = 256,
    slanting: Annotated[
        bool,
        Option("--slanting", help="the view has an up: mirror training pictures, but do not turn them (default: turn too)"),
    ] = False,
    learning_rate: Annotated[
        float | None, Option(metavar="X", help="at its peak (default: 0.003 from scratch, 0.0001 from a checkpoint)")
    ] = None,
    seed: Annotated[int, Option(metavar="N", help="of weights and crops")] = 0,
    iou: Annotated[float, Option(metavar="X", help="overlap from which a box is right")] = 0.5,
    frames_apart: Annotated[
        int, Option(metavar="N", help="leave out training pictures whose frame numbers are nearer to a held-out one's")
    ] = 0,
    most_tiles: Annotated[int, Option(metavar="N", help="train on at most N tiles, chosen by hash")] = 20000,
    threads: Annotated[int, Option(metavar="N", help="of the CPU (default: all cores)")] = 0,
    json: Json = False,
) -> int:
    """Train a small labeller on a source's annotated tiles, and measure it on held-out ground.

    The lake's splits say what is learned from (train) and what is held out (val, test). DIR is then a checkpoint with its
    calibration, to be named as a labeller: {name: detector, model: DIR}. The same command goes on where it was stopped.

    Examples:
      rsflow train-labeller lake --task detection --source hit_uav -o warm-objects
      rsflow train-labeller lake --task classification --source scenes --base ./resnet-18 --steps 300
    """
    from rsflow.engine.progress import progress
    from rsflow.labeller_training.report import training_json, training_text
    from rsflow.labeller_training.settings import TrainingSettings
    from rsflow.labeller_training.train import train_labeller as train

    settings = TrainingSettings(
        root=root, source=source, task=task, out=output, base=base, categories=tuple(category or ()), steps=steps, batch=batch,
        crop_px=crop, slanting=slanting, learning_rate=learning_rate, seed=seed, iou=iou,
        frames_apart=frames_apart, most_tiles=most_tiles, threads=threads,
    )  # fmt: skip
    with progress("train", "steps", 0, quiet_seconds=2.0) as state:
        trained = train(settings, state.begin, lambda step, loss: state.add(step + 1 - state.done))
    print(training_json(trained) if json else training_text(trained))
    return 0


def suggest(
    root: Root,
    count: Annotated[int, Option("-n", metavar="N", help="so many tiles")] = 50,
    source: Annotated[str, Option(metavar="NAME", help="only tiles of this source")] = "",
    output: Annotated[str | None, Option("-o", "--output", metavar="FILE", help="write the list as CSV too")] = None,
    json: Json = False,
) -> int:
    """List the tiles whose labels would teach most.

    Those that models are unsure of, and that look like nothing annotated so far; none of held-out splits.

    Examples:
      rsflow suggest lake -n 50 -o to-label.csv
      rsflow suggest lake --source archive --json
    """
    from rsflow.files import storage
    from rsflow.labeller_training.report import suggestions_json, suggestions_text
    from rsflow.labeller_training.suggest import suggest as find
    from rsflow.labeller_training.suggest import to_csv

    found = find(root, count, source)
    if output:
        storage.write_bytes(output, to_csv(found))
    print(suggestions_json(found) if json else suggestions_text(found))
    return 0
