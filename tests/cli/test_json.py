"""`--json`: one document per command with the keys that docs/json.md lists, and the numbers of the text report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from rsflow.cli import main
from rsflow.demo import write_demo_scenes
from rsflow.phases.build import run
from rsflow.planning.recipe import load

ROOT = Path(__file__).parents[2]
INLINE = "engine.kind=inline"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo in small with two snapshots, a source whose tiles are all rejected, and a lake that holds both."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo_scenes(folder, seed=7, size_px=512)
    place = folder / "demo.yaml"
    config = yaml.safe_load(place.read_text())
    profile = {"driver": "GTiff", "height": 300, "width": 300, "count": 3, "dtype": "uint8"}
    with rasterio.open(folder / "fog.tif", "w", **profile) as file:
        file.write(np.full((3, 300, 300), 200, np.uint8))
    fog = {"name": "fog", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "fog.tif"}}
    place.write_text(yaml.safe_dump({**config, "sources": [*config["sources"], fog]}))
    run(load(str(folder / "demo.yaml"), [INLINE]))
    run(load(str(folder / "demo.yaml"), [INLINE, "select.quotas={vqa: 5}"]))
    return folder


def printed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    return document


def documented(command: str) -> list[str]:
    (section,) = re.findall(rf"^## {command}\n(.*?)(?=^## |\Z)", (ROOT / "docs/json.md").read_text(), re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("build", ["CONFIG", INLINE]),
        ("plan", ["CONFIG"]),
        ("sources", ["CONFIG"]),
        ("status", ["LAKE"]),
        ("costs", ["LAKE"]),
        ("verify", ["LAKE", "--deep"]),
        ("rejects", ["LAKE"]),
        ("review", ["LAKE"]),
        ("diff", ["LAKE", "1", "2"]),
        ("report", ["LAKE"]),
        ("vacuum", ["LAKE"]),
        ("evaluate-labels", ["LAKE"]),
    ],
)
def test_a_document_has_the_keys_that_are_documented(
    demo: Path, capsys: pytest.CaptureFixture[str], command: str, words: list[str]
) -> None:
    places = {"CONFIG": str(demo / "demo.yaml"), "LAKE": str(demo / "lake")}
    document = printed(capsys, command, *(places.get(word, word) for word in words))
    assert list(document) == documented(command)


def test_rows_of_lists_have_the_keys_that_are_documented(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs/json.md").read_text()
    build = printed(capsys, "build", str(demo / "demo.yaml"), INLINE)
    sources = printed(capsys, "sources", str(demo / "demo.yaml"))
    rejects = printed(capsys, "rejects", str(demo / "lake"))
    rows = [build["balances"][0], sources["sources"][0], rejects["rejects"][0]]
    rows.append(printed(capsys, "evaluate-labels", str(demo / "lake"))["qualities"][0])
    for row in rows:
        assert [key for key in row if f"`{key}`" not in text] == []


def test_the_numbers_are_those_of_the_lake(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = str(demo / "lake")
    status, build = printed(capsys, "status", lake), printed(capsys, "build", str(demo / "demo.yaml"), INLINE)
    assert status["plan"]["scenes"]["done"] == build["scenes"]["done"] == status["rows"]["scenes"]
    assert all(balance["balanced"] for balance in build["balances"])
    samples = sum(build["shards"]["samples"].values())
    assert printed(capsys, "verify", lake)["samples"] == samples
    # Every reject that counts is listed, annotations and instructions too.
    listed = printed(capsys, "rejects", lake)["rejects"]
    kinds = {row["reason"] for row in listed if row["kind"] != "instruction"}
    assert kinds == set(build["rejects"])
    tiles = [row for row in listed if row["kind"] == "tile"]
    assert status["rows"]["tiles"] == build["tiles"]
    assert next(b for b in build["balances"] if b["step"] == "label")["rows_in"] == build["tiles"] + len(tiles)


def test_a_source_that_yields_nothing_is_named(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake, config = str(demo / "lake"), str(demo / "demo.yaml")
    expected = {"fog": "no tile; rejected: 4 tiles flat"}
    assert printed(capsys, "status", lake)["empty_sources"] == expected
    assert printed(capsys, "build", config, INLINE)["empty_sources"] == expected
    assert main(["status", lake]) == main(["build", config, INLINE]) == 0
    assert capsys.readouterr().out.count("fog: no tile; rejected: 4 tiles flat") == 2
    # One whose tiles all leave in the selection is named too.
    limited = printed(capsys, "select", config, "select.limits={gsd_m: [1.1, null]}")
    left = {name: why for name, why in limited["empty_sources"].items() if name != "fog"}
    assert left
    assert all(re.fullmatch(r"\d+ tiles, but none is selected: .*limit:gsd_m.*", why) for why in left.values())


def test_explain_of_a_tile_and_of_what_the_selection_never_saw(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = str(demo / "lake")
    rejected = next(row for row in printed(capsys, "rejects", lake)["rejects"] if row["kind"] == "tile")
    found = printed(capsys, "explain", lake, rejected["subject"])
    assert (found["kind"], found["selected"], found["rejects"]) == ("tile", False, [rejected])
    scene = printed(capsys, "explain", lake, rejected["scene_id"])
    assert (scene["kind"], scene["scene"]["source"]) == ("scene", rejected["source"])
    assert rejected in scene["rejects"]
    kept = next(iter(printed(capsys, "diff", lake, "1", "2")["examples"].values())).partition("#")[0]
    assert list(printed(capsys, "explain", lake, kept)) == documented("explain")


def test_audit_prints_json_or_writes_it(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotations = str(demo / "annotations/sar.json")
    code = main(["audit", annotations, "--format", "coco"])
    document = printed(capsys, "audit", annotations, "--format", "coco", code=code)
    assert sorted(document) == sorted(documented("audit"))
    file = demo / "report.json"
    assert main(["audit", annotations, "--format", "coco", "--json", str(file)]) == code
    assert json.loads(file.read_text()) == document
    assert main(["audit", annotations, str(file)]) == 2
    leak = printed(capsys, "audit", "--leak", str(demo / "sar"), str(demo / "sar"), code=1)
    assert list(leak) == ["train", "test", "by_test", "examples"]
