"""The recipes of both seeds: they list every source, find what is there, say what is not, and rebuild from what there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from rsflow.annotations import ANNOTATIONS
from rsflow.cli import main
from rsflow.config.availability import describe_disallowed, drop_missing_sources, missing_pattern
from rsflow.config.settings import BuildConfig, Published, Scenes, Source
from rsflow.errors import ConfigError
from rsflow.instructions import TASKS
from rsflow.planning.recipe import load
from rsflow.report.dataset_card.seed_mixes import MMRS_1M, RS_GPT4V, SeedMix
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader

ROOT = Path(__file__).parents[1]
RECIPES = {"rs_gpt4v": (RS_GPT4V, 10), "mmrs_1m": (MMRS_1M, 34)}


def recipe(name: str) -> str:
    return str(ROOT / "configs" / f"{name}.yaml")


def picture(path: Path, seed: int, side: int = 96) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(size=(side, side, 3))
    smooth = gaussian_filter(noise, (4, 4, 0))
    Image.fromarray(np.uint8(128 + 100 * smooth / np.abs(smooth).max())).save(path, quality=95)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RSICD (six pictures, with splits), DIOR-RSVG (two) and HIT-UAV (two) as their archives unpack, and nothing else."""
    folder = tmp_path / "sources"
    images: list[dict[str, Any]] = []
    for i in range(6):
        picture(folder / f"rsicd/RSICD_images/port_{i}.jpg", i)
        captions = [f"a port with {i} ships .", f"a port with {i} ships .", f"many boats near quay number {i} ."]
        sentences = [{"raw": text, "tokens": text.split(), "sentid": n, "imgid": i} for n, text in enumerate(captions)]
        split = "test" if i == 5 else "train"
        images.append({"filename": f"port_{i}.jpg", "imgid": i, "split": split, "sentences": sentences, "sentids": [0, 1, 2]})
    (folder / "rsicd/dataset_rsicd.json").write_text(json.dumps({"images": images, "dataset": "rsicd"}))
    for i in range(2):
        item = (
            "<object><name>ship</name>{}<bndbox><xmin>{}</xmin><ymin>20</ymin><xmax>{}</xmax><ymax>50</ymax></bndbox></object>"
        )
        size = "<size><width>96</width><height>96</height><depth>3</depth></size>"
        for name, said in (("dior_rsvg", "<description>The ship on the left</description>"), ("hit_uav/normal_xml", "")):
            picture(folder / name / f"JPEGImages/{i:05d}.jpg", 10 + i + 10 * len(said))
            objects = item.format(said, 5, 40) + (item.format("", 60, 90) if not said else "")
            (folder / name / "Annotations").mkdir(exist_ok=True)
            xml = f"<annotation><filename>{i:05d}.jpg</filename>{size}{objects}</annotation>"
            (folder / name / f"Annotations/{i:05d}.xml").write_text(xml)
    for split, lines in (("train", "0\n"), ("val", ""), ("test", "1\n")):
        (folder / f"dior_rsvg/{split}.txt").write_text(lines)
    monkeypatch.setenv("RSFLOW_SOURCES", str(folder))
    monkeypatch.setenv("RSFLOW_ROOT", str(tmp_path / "lake"))
    return folder


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_lists_every_set_of_its_seed_with_its_tasks(name: str) -> None:
    seed, number = RECIPES[name]
    built = load(recipe(name))
    sets: dict[str, set[str]] = {}
    for source in built.sources:
        sets.setdefault(source.published.part_of or source.name, set()).update(source.published.tasks)
    assert len(sets) == number
    listed: dict[str, set[str]] = {}
    for task, source in seed.sources:
        listed.setdefault(source, set()).add(task)
    assert sets == listed


@pytest.mark.parametrize("name", RECIPES)
def test_every_source_says_what_a_reader_of_the_recipe_needs(name: str) -> None:
    for source in load(recipe(name)).sources:
        assert source.optional, source.name
        assert source.annotations is not None
        assert source.annotations.format in ANNOTATIONS
        assert set(source.published.tasks) <= {*TASKS}
        assert source.published.home or source.published.get or source.licence == "unknown", source.name


def test_the_recipes_agree_on_the_sets_they_share() -> None:
    one, other = ({source.name: source for source in load(recipe(name)).sources} for name in RECIPES)
    shared = one.keys() & other.keys()
    assert len(shared) >= 9
    assert [name for name in sorted(shared) if one[name] != other[name]] == []


def test_the_published_tables_add_up() -> None:
    def sums(seed: SeedMix) -> dict[str, int]:
        found: dict[str, int] = {}
        for (task, _), said in seed.sources.items():
            found[task] = found.get(task, 0) + (said.train_pairs or 0)
        return found

    assert sums(RS_GPT4V) == RS_GPT4V.counts
    assert {task for task, _ in MMRS_1M.sources} == set(MMRS_1M.counts)
    assert {source: sums(MMRS_1M)[source] for source in ("grounding", "region_captioning")} == dict.fromkeys(
        ("grounding", "region_captioning"), 30_820
    )


def test_sources_tells_found_and_missing_with_counts(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", recipe("mmrs_1m")]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line and not line.startswith(" ")}
    assert rows["rsicd"] == ["rsicd", "optical", "captioning", "unknown", "found", "6", "10,921", "12", "54,605", "0"]
    assert rows["hit_uav"][4:6] == ["found", "2"]
    assert rows["dota_v2"][4] == "missing"
    assert "3 of 39 sources (34 sets) found, 10 pictures" in out
    assert "home        https://captain-whu.github.io/DOTA/dataset.html" in out
    assert "hit_uav" not in out.partition("missing:")[2].partition("licences:")[0]
    assert "rsicd (unknown)" in out.partition("licences:")[2]


def test_a_source_that_is_there_and_broken_is_told(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sources / "rsicd/dataset_rsicd.json").write_text("[")
    assert main(["sources", recipe("rs_gpt4v")]) == 0
    out = capsys.readouterr().out
    assert "unusable:\n  rsicd\n" in out
    assert "dataset_rsicd.json" in out.partition("unusable:")[2]


ALLOWED = "select.allow_licences=[unknown, CC-BY-4.0]"


def test_a_build_uses_what_is_there_and_says_what_it_lacked(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", recipe("mmrs_1m"), "engine.kind=inline", ALLOWED]) == 0
    told = capsys.readouterr()
    assert "36 sources were not there and are left out: nwpu_captions, rsitmd" in told.out
    lake = str(tmp_path / "lake")
    records = [
        sample.record
        for split in read_snapshot(lake).splits.values()
        for shard in split.shards
        for sample in ShardReader(lake, shard)
    ]
    # Every sample carries its source's licence.
    assert {(r["source"], r["licence"]) for r in records} == {
        ("rsicd", "unknown"),
        ("hit_uav", "CC-BY-4.0"),
        ("dior_rsvg", "unknown"),
    }
    card = (tmp_path / "lake/card.md").read_text()
    table = [line for line in card.splitlines() if line.startswith("| captioning") and "rsicd" in line]
    captions = sum(i["task"] == "captioning" for r in records if r["source"] == "rsicd" for i in r["instructions"])
    assert captions == 12  # identical captions of a picture are one
    numbers = [int(cell.replace(",", "")) for cell in table[0].split("|")[3:11] if cell.strip() != "–"]
    assert numbers[1::2] == [8_734, 17_813, 1_093, 1_093]
    assert numbers[0::2][1] + numbers[0::2][3] <= captions


def test_unknown_licences_are_never_used_in_silence(sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", recipe("mmrs_1m"), "engine.kind=inline"]) == 0
    assert "does not allow rsicd (unknown), dior_rsvg (unknown)" in capsys.readouterr().err
    lake = str(tmp_path / "lake")
    splits = read_snapshot(lake).splits.values()
    licences = {s.record["licence"] for split in splits for shard in split.shards for s in ShardReader(lake, shard)}
    assert licences == {"CC-BY-4.0"}
    assert main(["build", recipe("rs_gpt4v"), "engine.kind=inline", f"root={tmp_path}/other"]) == 2
    assert "no source may be used" in capsys.readouterr().err


def test_nothing_there_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_SOURCES", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="rsflow sources"):
        drop_missing_sources(load(recipe("rs_gpt4v"), [ALLOWED]))


def test_only_an_optional_source_is_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg", 1)
    here = Source("here", "optical", "MIT", Scenes(f"{tmp_path}/*.jpg"))
    gone = Source("gone", "optical", "MIT", Scenes(f"{tmp_path}/none/*.jpg"), optional=True, published=Published(pictures=7))
    needed = Source("needed", "optical", "unknown", Scenes(f"{tmp_path}/none/*.jpg"))
    built, missing = drop_missing_sources(BuildConfig(str(tmp_path / "lake"), (here, gone, needed)))
    assert [source.name for source in built.sources] == ["here", "needed"]
    assert missing == {"gone": f"{tmp_path}/none/*.jpg"}
    assert (missing_pattern(here), describe_disallowed(BuildConfig("x", (here,)))) == ("", "")
    assert "needed (unknown)" in describe_disallowed(built)


def test_bands_in_a_pattern_are_looked_for(tmp_path: Path) -> None:
    source = Source("s", "optical", "MIT", Scenes(f"{tmp_path}/B_{{band}}.tif", bands={"red": "04"}))
    assert missing_pattern(source) == f"{tmp_path}/B_{{band}}.tif"
    (tmp_path / "B_04.tif").write_bytes(b"x")
    assert missing_pattern(source) == ""


def run_pipeline(name: str, *overrides: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "pipelines" / f"{name}.py"), "engine.kind=inline", *overrides]
    whole = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=whole)


def test_a_pipeline_runs_its_recipe(sources: Path, tmp_path: Path) -> None:
    done = run_pipeline("rs_gpt4v", ALLOWED)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lake/card.md").exists()
    assert "12 sources were not there and are left out" in done.stdout


@pytest.mark.parametrize(("name", "number"), [("rs_gpt4v", 14), ("mmrs_1m", 39)])
def test_each_pipeline_runs_the_recipe_of_its_name(tmp_path: Path, name: str, number: int) -> None:
    done = run_pipeline(name, RSFLOW_SOURCES=str(tmp_path), RSFLOW_ROOT=str(tmp_path / "lake"))
    assert done.returncode == 2
    assert f"none of the {number} sources is there" in done.stderr
