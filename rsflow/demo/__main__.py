"""The demo: scenes of three sensors, a whole build, an epoch through torch, a contact sheet. `make demo` runs it.

    python -m rsflow.demo FOLDER [--engine ray|inline]

One idea: it does what a user's first hour does, by the same functions as the command `rsflow`, and says each step's command.
Run again it makes only what is missing. It refuses to start without torch: half a demo would be no proof.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rsflow.demo.write import write_demo_scenes
from rsflow.errors import RsflowError, SnapshotError, UsageError
from rsflow.files import storage
from rsflow.inspection.facts.report_facts import summarise_build, write_card
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.report.build_summary import align_columns, summary_text
from rsflow.report.pictures.contact_sheet import SheetSample, contact_sheet
from rsflow.report.pictures.show import sample_card
from rsflow.report.text.counts_table import tally_table
from rsflow.sensors import SENSOR_NAMES
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, read_snapshot
from rsflow.shards.reader import ShardReader

SEED = 7
WORKERS = 2
ON_SHEET = ("detection", "region_captioning", "vqa", "description")  # a row of the sheet each, a column per sensor
FEW_BOXES = range(2, 9)  # a picture with so many boxes shows most and is not crowded


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return an exit code as the command does: 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m rsflow.demo", description="Build and stream a dataset of invented scenes.")
    parser.add_argument("folder", metavar="FOLDER", help="where everything goes, for example demo-out")
    parser.add_argument("--engine", choices=("ray", "inline"), default="ray", help="how to run the build (default ray, local)")
    parser.add_argument("--size-px", type=int, default=2048, help="side of the optical scenes (default 2048)")
    arguments = parser.parse_args(argv)
    try:
        _demo(arguments.folder.rstrip("/"), arguments.engine, arguments.size_px)
    except RsflowError as error:
        print(f"rsflow: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("rsflow: interrupted: run the same command to go on", file=sys.stderr)
        return 130
    return 0


def _demo(folder: str, engine: str, size_px: int) -> None:
    if importlib.util.find_spec("torch") is None:
        raise UsageError('the demo streams through PyTorch, which is not installed: pip install "rsflow[train]"')
    start = time.monotonic()
    config = _scenes(folder, size_px)
    lake = _build(config, engine)
    manifest = read_snapshot(lake)
    _print_step(
        f"3. an epoch of every split through a torch DataLoader with {WORKERS} workers", "in Python: rsflow.stream(...)"
    )
    _stream(lake, manifest)
    sheet = f"{folder}/sheet.png"
    _print_step("4. a contact sheet", f"of your choice with: rsflow show {lake} -o mine.png")
    rows = _cards(lake, manifest)
    Path(sheet).parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows, columns=len(SENSOR_NAMES)).save(sheet)
    print(f"{sheet}: {len(rows)} samples, a column per sensor")
    print(_closing_text(folder, lake, sheet, config, time.monotonic() - start))


def _scenes(folder: str, size_px: int) -> str:
    """Write the scenes unless they are there; the configuration is written last, so it stands for them all."""
    scenes = f"{folder}/scenes"
    config = f"{scenes}/demo.yaml"
    _print_step("1. scenes of one invented place by three sensors", f"rsflow demo-scenes {scenes}")
    if storage.exists(config):
        print(f"{scenes}: there already")
        return config
    written = write_demo_scenes(scenes, SEED, size_px)
    print(f"{scenes}: {len(written.scenes)} GeoTIFFs with {written.boxes:,} annotated objects")
    return written.config


def _build(config: str, engine: str) -> str:
    """Label, select and shard; returns the lake's root."""
    _print_step("2. label, select, shard", f"rsflow build {config}" + (" engine.kind=inline" if engine == "inline" else ""))
    built = load(config, [f"engine.kind={engine}"])
    outcome = run(built)
    write_card(built, outcome)
    print(summary_text(summarise_build(outcome)))
    return built.root


def _stream(lake: str, manifest: Manifest) -> None:
    """Stream every split once, tell what came, and prove by keys and counts that it was each sample once."""
    from torch.utils.data import ChainDataset, DataLoader

    from rsflow.loading.example import collate_samples
    from rsflow.loading.stream import stream

    # One loader for all splits, because its workers take seconds to start. They are spawned, not forked: Ray has left threads
    # in this process, and a fork would copy their locks.
    loader: DataLoader[dict[str, Any]] = DataLoader(
        ChainDataset([stream(lake, name, batch_size=8) for name in sorted(manifest.splits)]),
        batch_size=8,
        num_workers=WORKERS,
        collate_fn=collate_samples,
        multiprocessing_context="spawn",
    )
    start = time.monotonic()
    keys: Counter[tuple[str, str]] = Counter()
    samples: Counter[tuple[str, str]] = Counter()
    tasks: Counter[tuple[str, str, str]] = Counter()
    for batch in loader:
        for split, key, sensor, rows in zip(batch["split"], batch["key"], batch["sensor"], batch["instructions"], strict=True):
            keys[split, key] += 1
            samples[split, sensor] += 1
            tasks.update((split, row["task"], sensor) for row in rows)
    _check(lake, manifest, keys, tasks)
    for split in sorted(manifest.splits):
        by_sensor = ", ".join(f"{name} {samples[split, name]:,}" for name in SENSOR_NAMES if samples[split, name])
        print(f"{split}: {manifest.splits[split].samples:,} samples ({by_sensor}), each once")
    print("instructions that came:")
    of_all: Counter[tuple[str, str]] = Counter()
    for (_, task, sensor), count in tasks.items():
        of_all[task, sensor] += count
    print("\n".join("  " + line for line in align_columns(tally_table(of_all))))
    print(f"{keys.total():,} samples in {time.monotonic() - start:.1f} s, with the start of the workers")


def _check(lake: str, manifest: Manifest, keys: Counter[tuple[str, str]], tasks: Counter[tuple[str, str, str]]) -> None:
    """SnapshotError unless each sample of the manifest came once, with all its instructions."""
    counted = {
        (name, task, sensor): number
        for name, split in manifest.splits.items()
        for task, by_sensor in split.counts.items()
        for sensor, number in by_sensor.items()
    }
    expected = sum(split.samples for split in manifest.splits.values())
    if len(keys) != expected or keys.total() != expected or tasks != counted:
        raise SnapshotError(
            f"{lake}: streamed {keys.total()} samples, {len(keys)} different ones; the manifest says {expected}"
        )


def _cards(lake: str, manifest: Manifest) -> list[SheetSample]:
    """A card per task and sensor, row by row: of the samples that show few boxes the one with the smallest key."""
    found: dict[tuple[str, str], tuple[bool, str, Sample]] = {}
    taken: set[str] = set()
    for task in ON_SHEET:
        for sample in _samples(lake, manifest):
            place = (task, sample.record["sensor"])
            rank = (not _is_illustrative(sample, task), sample.key, sample)
            if _has(sample, task) and sample.key not in taken and (place not in found or rank[:2] < found[place][:2]):
                found[place] = rank
        taken.update(sample.key for _, _, sample in found.values())
    return [
        sample_card(found[task, sensor][2], task) for task in ON_SHEET for sensor in SENSOR_NAMES if (task, sensor) in found
    ]


def _samples(lake: str, manifest: Manifest) -> Iterator[Sample]:
    for name in sorted(manifest.splits):
        for shard in manifest.splits[name].shards:
            yield from ShardReader(lake, shard)


def _has(sample: Sample, task: str) -> bool:
    return any(row["task"] == task for row in sample.record["instructions"])


def _is_illustrative(sample: Sample, task: str) -> bool:
    """Whether the sample's detections are few; tasks without boxes are judged by the same, so that something is to be seen."""
    rows = sample.record["instructions"]
    most = max((len(row["boxes"]) for row in rows if row["task"] == "detection"), default=0)
    return most in FEW_BOXES and sample.record["scores"]["valid_share"] == 1.0 and _has(sample, task)


def _print_step(what: str, command: str) -> None:
    print(f"\n{what}\n   {command}", flush=True)


def _closing_text(folder: str, lake: str, sheet: str, config: str, seconds: float) -> str:
    return f"""
done in {seconds:.0f} s; what exists now:
  {sheet:<28}  look at this first
  {folder + "/scenes/":<28}  the scenes, their annotations and demo.yaml
  {lake + "/card.md":<28}  the dataset card: counts, licences, how right the labels are
  {lake + "/shards/":<28}  the dataset as WebDataset shards, plain webdataset reads them too
  {lake + "/tables/":<28}  Delta tables: every tile, label, instruction and reject

try next:
  rsflow show {lake} --sensor sar --task grounding -o sar.png
  rsflow verify {lake}
  rsflow build {config}          does nothing the second time
  rsflow build {config} instructions.max_boxes=10   makes new instructions, reads no pixel
  python -c 'import rsflow; print(next(iter(rsflow.stream("{lake}", dialect="qwen")))["instructions"][0]["turns"])'

(`rsflow` and `python` are in .venv/bin where `make` installed them; the README has the rest.)"""


if __name__ == "__main__":
    sys.exit(main())
