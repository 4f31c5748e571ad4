"""The report page: its numbers are those of the shards, its bytes follow from them, and no text of the data can act on it."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.cli import main
from rsflow.demo import write_demo_scenes

INLINE = "engine.kind=inline"
HOSTILE = ("<script>alert(1)</script>", 'a & b "$x^2$"', "<img src=x onerror=alert(1)>")


class Page(HTMLParser):
    """Tags, attributes and texts of a page, and its numbers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.sources: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def numbers(self) -> dict[str, Any]:
        return next(json.loads(text) for text in self.texts if text.startswith('{"'))


def records_of(lake: Path, snapshot: int) -> list[dict[str, Any]]:
    """Every record of a snapshot, read by nothing of rsflow."""
    found = []
    manifest = json.loads((lake / f"snapshots/{snapshot}.json").read_text())
    for split in manifest["splits"].values():
        for shard in split["shards"]:
            with tarfile.open(lake / shard["path"]) as tar:
                found += [json.load(tar.extractfile(each)) for each in tar if each.name.endswith(".json")]  # type: ignore[arg-type]
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_scenes(folder, seed=7, size_px=512)
    assert main(["build", str(folder / "demo.yaml"), INLINE]) == 0
    return folder / "lake"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose file names, categories and captions are HTML."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(3)
    images, annotations = [], []
    for index in range(3):
        name = f"<b onclick=x>{index}.png"
        Image.fromarray(rng.integers(0, 255, (128, 128, 3), dtype=np.uint8)).save(folder / name)
        images.append({"id": index, "file_name": name, "width": 128, "height": 128})
        annotations += [
            {
                "id": 10 * index + k,
                "image_id": index,
                "category_id": k,
                "bbox": [10 + 30 * k, 20, 25, 30],
                "area": 750,
                "iscrowd": 0,
            }
            for k in range(3)
        ]
    coco = {"images": images, "annotations": annotations, "categories": [{"id": k, "name": n} for k, n in enumerate(HOSTILE)]}
    (folder / "coco.json").write_text(json.dumps(coco))
    source = {"name": "odd", "sensor": "optical", "licence": "<i>CC</i>", "scenes": {"files": "*.png"}}
    source["annotations"] = {"format": "coco", "files": "coco.json"}
    config = {"root": "<lake>", "sources": [source], "select": {"splits": {"train": 1.0}}}
    (folder / "odd.yaml").write_text(json.dumps(config))
    assert main(["build", str(folder / "odd.yaml"), INLINE]) == 0
    return folder / "<lake>"


def test_a_build_writes_the_page_and_its_numbers_are_those_of_the_shards(demo: Path) -> None:
    numbers = Page((demo / "report.html").read_text()).numbers
    records = records_of(demo, 1)
    objects = [(record, each) for record in records for each in record["objects"]]
    instructions = [(record, each) for record in records for each in record["instructions"]]
    assert numbers["objects"] == nested((o["category"], r["sensor"], r["split"]) for r, o in objects)
    assert numbers["instructions"] == nested((r["split"], i["task"], r["sensor"]) for r, i in instructions)
    assert numbers["samples"] == nested((r["split"], r["sensor"], r["source"]) for r in records)
    assert numbers["licences"] == dict(Counter(r["licence"] for r in records))
    assert numbers["months"] == dict(Counter(r["acquired_at"][:7] for r in records))
    sides = [(r["sensor"], math.sqrt((o["box"][2] - o["box"][0]) * (o["box"][3] - o["box"][1]))) for r, o in objects]
    assert numbers["sizes_px"] == nested((sensor, str(math.floor(2 * math.log2(side)))) for sensor, side in sides)
    assert sum(map(sum, (row.values() for row in numbers["positions"].values()))) == len(objects)
    assert numbers["objects_per_sample"] == dict(Counter(str(len(r["objects"])) for r in records))
    asked = [a for _, i in instructions for a in [*i["answer"].get("earlier", []), i["answer"]] if a["kind"] == "yes_no"]
    assert asked
    assert numbers["answers"]["yes_no"] == nested((a["category"], "yes" if a["value"] else "no") for a in asked)
    turns = [(i["task"], t["role"], t["text"]) for _, i in instructions for t in i["turns"]]
    plain = [(task, role, re.sub(r"\[\[(.*?)\|[\d,]*\]\]", r"\1", text)) for task, role, text in turns]
    words = [(task, role, re.findall(r"[a-z]+(?:['’-][a-z]+)*", text.lower())) for task, role, text in plain]
    assert numbers["words"] == nested((task, role, str(len(said))) for task, role, said in words)
    spoken = Counter(word for _, role, said in words if role == "assistant" for word in said)
    assert numbers["vocabulary"] == dict(sorted(spoken.items(), key=lambda item: (-item[1], item[0]))[:1000])


def nested(keys: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for *outer, last in keys:
        node = found
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = node.get(last, 0) + 1
    return found


def test_picture_statistics_are_those_of_the_pixels(demo: Path) -> None:
    numbers = Page((demo / "report.html").read_text()).numbers
    manifest = json.loads((demo / "snapshots/1.json").read_text())
    pixels: dict[str, list[np.ndarray[Any, Any]]] = {}
    for shard in (shard for split in manifest["splits"].values() for shard in split["shards"]):
        with tarfile.open(demo / shard["path"]) as tar:
            members = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
        for name, data in members.items():
            if name.endswith(".json"):
                picture = np.asarray(Image.open(BytesIO(members[name.replace(".json", ".jpg")])))
                pixels.setdefault(json.loads(data)["sensor"], []).append(picture)
    assert {sensor: found["pictures"] for sensor, found in numbers["pictures"].items()} == {
        s: len(p) for s, p in pixels.items()
    }
    grey = np.concatenate([each.ravel() for each in pixels["sar"]])
    found = numbers["pictures"]["sar"]["channels"]["grey"]
    assert (found["count"], found["least"], found["most"]) == (grey.size, grey.min(), grey.max())
    assert (found["mean"], found["deviation"]) == pytest.approx((grey.mean(), grey.std()))
    blue = np.concatenate([each[..., 2].ravel() for each in pixels["optical"]])
    assert numbers["pictures"]["optical"]["channels"]["blue"]["mean"] == pytest.approx(blue.mean())


def test_the_funnel_closes_and_ends_at_the_samples(demo: Path) -> None:
    numbers = Page((demo / "report.html").read_text()).numbers
    funnel = {(step["step"], step["rows"]): step for step in numbers["lake"]["funnel"]}
    for step in funnel.values():
        assert step["rows_in"] == step["kept"] + sum(step["left"].values())
    records = records_of(demo, 1)
    assert funnel["label", "windows"]["kept"] == funnel["select", "tiles"]["rows_in"]
    assert funnel["select", "tiles"]["kept"] == len(records)
    assert funnel["select", "instructions"]["kept"] == sum(len(record["instructions"]) for record in records)
    assert {stage["stage"] for stage in numbers["lake"]["stages"]} >= {"CutScenes", "InstructTiles"}
    assert {one["labeller"] for one in numbers["lake"]["measured"]} >= {"hotspot"}


def test_the_same_snapshot_gives_the_same_page_in_any_process(demo: Path, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    code = f"from rsflow.cli import main; main(['report', {str(demo)!r}, '-o', {str(place)!r}])"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"  # another order of sets than in this process
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=200)
    assert place.read_bytes() == (demo / "report.html").read_bytes()


def test_a_build_that_changes_nothing_leaves_the_page_alone(demo: Path) -> None:
    before = (demo / "report.html").stat().st_mtime_ns
    assert main(["build", str(demo.parent / "demo.yaml"), INLINE]) == 0
    assert (demo / "report.html").stat().st_mtime_ns == before


def test_no_text_of_the_data_becomes_a_part_of_the_page(hostile: Path) -> None:
    text = (hostile / "report.html").read_text()
    page = Page(text)
    assert not {"script", "b onclick=x", "i", "iframe", "object", "form", "input"} & set(page.tags)
    assert not {name for name in page.attributes if name.startswith("on")}
    assert all(source.startswith(("data:image/", "#")) for source in page.sources)
    assert "default-src 'none'" in text
    assert set(page.numbers["objects"]) == {" ".join(name.split()) for name in HOSTILE} or set(page.numbers["objects"]) == set(
        HOSTILE
    )
    assert any("<script>alert(1)</script>" in each for each in page.texts)  # as text, where it can be read


def test_two_snapshots_are_compared(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(demo.parent / "demo.yaml")
    assert main(["build", config, INLINE, "select.quotas={vqa: 5}"]) == 0
    assert main(["report", str(demo), "--diff", "1", "2", "-o", str(tmp_path / "diff.html")]) == 0
    numbers = Page((tmp_path / "diff.html").read_text()).numbers
    lost = Counter(i["task"] for r in records_of(demo, 1) for i in r["instructions"])
    lost.subtract(i["task"] for r in records_of(demo, 2) for i in r["instructions"])
    assert sum(numbers["counts"]["instructions removed"].values()) == lost["vqa"] == lost.total() > 0
    after = Counter(key for tasks in numbers["after_counts"]["instructions"].values() for key in tasks)
    assert set(after) == {i["task"] for r in records_of(demo, 2) for i in r["instructions"]}
    # The page of the earlier snapshot can still be made, with the selection that it was made of.
    assert main(["report", str(demo), "--snapshot", "1", "-o", str(tmp_path / "first.html")]) == 0
    first = Page((tmp_path / "first.html").read_text()).numbers
    assert first["samples"] == nested((r["split"], r["sensor"], r["source"]) for r in records_of(demo, 1))
    kept = next(s["kept"] for s in first["lake"]["funnel"] if (s["step"], s["rows"]) == ("select", "instructions"))
    assert kept == sum(len(record["instructions"]) for record in records_of(demo, 1))
    capsys.readouterr()
    assert main(["report", str(demo), "--snapshot", "9"]) == 1
    assert "snapshots/9.json" in capsys.readouterr().err
    assert main(["report", str(demo), "--diff", "1", "2", "--json"]) == 2


def test_where_the_sources_are_gone_the_page_says_so(hostile: Path, tmp_path: Path) -> None:
    (hostile.parent / "coco.json").rename(tmp_path / "coco.json")
    try:
        assert main(["report", str(hostile), "-o", str(tmp_path / "page.html")]) == 0
    finally:
        (tmp_path / "coco.json").rename(hostile.parent / "coco.json")
    page = Page((tmp_path / "page.html").read_text())
    assert any("cannot be planned" in note for note in page.numbers["lake"]["notes"])
    assert page.numbers["samples"] == Page((hostile / "report.html").read_text()).numbers["samples"]
