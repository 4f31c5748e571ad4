"""Adapting annotation records: rsflow's readers beside the plain Python reader that a user would write.

The same 100,000 records, as one COCO file, as DOTA label files (50 objects each) and as one caption list, are read by
both, each in a process of its own, one after the other in every round. The plain readers do what is usual: parse, turn boxes
into corners, put them under their picture; they check nothing, clip nothing and keep plain dicts. Printed are records per
second of one core (median of the rounds) and the peak of what Python allocated, taken in a reading of its own.

rsflow checks every number, clips to the picture, keeps polygons, flags and splits and reports what is broken; the claim is that
this costs at most three times the plain reader.

Run it as `python benchmarks/annotations.py [--records 100000]`; it ends with 1 where the claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLAIM = 3.0
SIDE = 2000
PER_PICTURE = 50


def made_coco(folder: Path, records: int) -> None:
    draw = random.Random(0)
    images = [{"id": i, "file_name": f"{i}.jpg", "height": SIDE, "width": SIDE} for i in range(records // PER_PICTURE)]
    rows = []
    for number in range(records):
        x, y, w, h = draw.uniform(0, 1800), draw.uniform(0, 1800), draw.uniform(5, 200), draw.uniform(5, 200)
        ring = [x, y, x + w, y, x + w, y + h, x, y + h]
        row = {"id": number, "image_id": number % len(images), "category_id": number % 15, "bbox": [x, y, w, h], "iscrowd": 0}
        rows.append({**row, "segmentation": [ring], "area": w * h})
    categories = [{"id": i, "name": f"class {i}"} for i in range(15)]
    (folder / "coco.json").write_text(json.dumps({"images": images, "annotations": rows, "categories": categories}))


def made_dota(folder: Path, records: int) -> None:
    draw = random.Random(0)
    for number in range(records // PER_PICTURE):
        lines = ["imagesource:GoogleEarth", "gsd:0.146"]
        for index in range(PER_PICTURE):
            x, y, a, b = draw.uniform(100, 1800), draw.uniform(100, 1800), draw.uniform(5, 90), draw.uniform(5, 90)
            ring = (x - a, y - b, x + b, y - a, x + a, y + b, x - b, y + a)
            lines.append(" ".join(f"{value:.1f}" for value in ring) + f" class-{index % 15} {index % 2}")
        (folder / f"P{number:04}.txt").write_text("\n".join(lines))


def made_captions(folder: Path, records: int) -> None:
    draw = random.Random(0)
    words = [f"word{number}" for number in range(17)]
    images = []
    for number in range(records // 5):
        texts = [" ".join(draw.sample(words, 12)) + " ." for _ in range(5)]
        sentences = [
            {"tokens": text.split(), "raw": text, "imgid": number, "sentid": 5 * number + i} for i, text in enumerate(texts)
        ]
        images.append({"filename": f"{number}.tif", "imgid": number, "sentences": sentences, "split": "train"})
    (folder / "captions.json").write_text(json.dumps({"images": images, "dataset": "made"}))


def plain_coco(folder: Path) -> Any:
    data = json.loads((folder / "coco.json").read_text())
    names = {row["id"]: row["name"] for row in data["categories"]}
    files = {row["id"]: row["file_name"] for row in data["images"]}
    found: dict[str, list[Any]] = defaultdict(list)
    for row in data["annotations"]:
        x, y, w, h = row["bbox"]
        found[files[row["image_id"]]].append(
            {"name": names[row["category_id"]], "box": [x, y, x + w, y + h], "polygon": row["segmentation"]}
        )
    return found


def plain_dota(folder: Path) -> Any:
    found: dict[str, list[Any]] = defaultdict(list)
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text().splitlines():
            words = line.split()
            if len(words) < 9:
                continue
            ring = [float(word) for word in words[:8]]
            box = [min(ring[::2]), min(ring[1::2]), max(ring[::2]), max(ring[1::2])]
            found[path.stem].append({"name": words[8], "difficult": words[9] == "1", "box": box, "polygon": ring})
    return found


def plain_captions(folder: Path) -> Any:
    found: dict[str, list[str]] = defaultdict(list)
    for image in json.loads((folder / "captions.json").read_text())["images"]:
        for sentence in image["sentences"]:
            if sentence["raw"] not in found[image["filename"]]:
                found[image["filename"]].append(sentence["raw"])
    return found


def ours(form: str, files: str) -> Callable[[Path], Any]:
    def read_set(folder: Path) -> Any:
        from rsflow.annotations import read_annotations
        from rsflow.config.settings import Annotations

        found = read_annotations(Annotations(form, str(folder / files)))
        assert not found.rejects
        return found.pictures

    return read_set


MADE = {"coco": made_coco, "dota": made_dota, "captions": made_captions}
READERS: dict[str, dict[str, Callable[[Path], Any]]] = {
    "coco": {"plain": plain_coco, "rsflow": ours("coco", "coco.json")},
    "dota": {"plain": plain_dota, "rsflow": ours("dota", "*.txt")},
    "captions": {"plain": plain_captions, "rsflow": ours("captions", "captions.json")},
}


def child(form: str, reader: str, folder: Path, traced: bool) -> None:
    """One reading in this process: prints seconds of processor time, MB at the peak (0 unless traced), and pictures."""
    import rsflow.annotations  # noqa: F401  (both processes start with the same modules)

    if traced:
        tracemalloc.start()
    start = time.process_time()
    found = READERS[form][reader](folder)
    seconds = time.process_time() - start
    print(json.dumps([seconds, tracemalloc.get_traced_memory()[1] / 1e6, len(found)]))


def in_child(form: str, reader: str, folder: Path, traced: bool) -> tuple[float, float, int]:
    command = [sys.executable, __file__, "--child", form, reader, str(folder), "traced" if traced else ""]
    done = subprocess.run(command, capture_output=True, check=True, timeout=600)
    seconds, memory, count = json.loads(done.stdout)
    return seconds, memory, count


def measured(form: str, folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds and peak MB of each reader."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for reader in READERS[form]:
            seconds[reader].append(in_child(form, reader, folder, False)[0])
    traced = {reader: in_child(form, reader, folder, True) for reader in READERS[form]}
    if len({count for _, _, count in traced.values()}) != 1:
        raise SystemExit(f"{form}: the readers found different numbers of pictures: {traced}")
    return {reader: (statistics.median(seconds[reader]), memory) for reader, (_, memory, _) in traced.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child[0], chosen.child[1], Path(chosen.child[2]), bool(chosen.child[3]))
        return 0
    slowest = 0.0
    print(f"{'format':10}{'reader':10}{'records/s per core':>20}{'peak MB':>10}{'time, of plain':>16}")
    for form, make in MADE.items():
        with tempfile.TemporaryDirectory() as place:
            make(Path(place), chosen.records)
            results = measured(form, Path(place), chosen.rounds)
        for reader, (seconds, memory) in results.items():
            ratio = seconds / results["plain"][0]
            slowest = max(slowest, ratio)
            print(f"{form:10}{reader:10}{chosen.records / seconds:20,.0f}{memory:10.0f}{ratio:16.1f}")
    print(f"claim: at most {CLAIM:g} times the plain reader's time; found at most {slowest:.1f}")
    return 0 if slowest <= CLAIM else 1


if __name__ == "__main__":
    sys.exit(main())
