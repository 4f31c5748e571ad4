"""Builds from STAC, by the command: what the lake holds, what a second run does, what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rsflow.cli import main
from rsflow.lake.tables import Lake, open_lake
from tests.stac.api_server import ApiServer
from tests.stac.catalogue import Catalogue, band_asset, item, write_band


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "0")


def configure(folder: Path, **stac: Any) -> str:
    """A configuration of two sources: one of STAC without a licence, one of files."""
    write_band(folder / "files/plain.tif", 50)
    sources = [
        {"name": "s", "sensor": "optical", "scenes": {"stac": stac}},
        {"name": "f", "sensor": "optical", "licence": "CC0-1.0", "scenes": {"files": "files/*.tif"}},
    ]
    settings = {"root": "lake", "sources": sources, "engine": {"kind": "inline"}, "tiles": {"size_px": 32}}
    screen = {"min_contrast": 0, "min_sharpness": 0, "max_bright_share": 1}
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump({**settings, "screen": screen, "max_reject_share": 0.9}))
    return str(path)


def lake(folder: Path) -> Lake:
    return open_lake(str(folder / "lake"))


def scenes(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["scene_id"]: row for row in lake(folder).read("scenes").to_pylist()}


def test_items_become_labelled_scenes_and_broken_ones_rejects(
    tmp_path: Path, catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.add_scene("a", **{"processing:version": "2", "view:sun_elevation": 40.0})
    catalogue.add_scene("a1", **{"processing:version": "1"})
    catalogue.add(item("bare", {}))
    catalogue.link("./none.json")
    config = configure(tmp_path, href="catalogue")
    assert main(["plan", config]) == 0
    assert "4  new" in capsys.readouterr().out
    assert not (tmp_path / "lake").exists()
    assert main(["label", config]) == 0
    rows = scenes(tmp_path)
    assert {name: row["licence"] for name, row in rows.items() if not row["probe_reason"]} == {
        "s.a": "CC-BY-4.0",
        "f.plain": "CC0-1.0",
    }
    assert rows["s.a"]["stac_item"]["sun_elevation"] == 40.0
    assert rows["s.a"]["unit"] == "reflectance"
    assert rows["f.plain"]["stac_item"] is None
    reasons = sorted(row["reason"] for row in lake(tmp_path).read("rejects").to_pylist())
    assert reasons == ["broken_link", "no_assets", "superseded"]
    (tile,) = (row for row in lake(tmp_path).read("tiles").to_pylist() if row["source"] == "s")
    assert (tile["licence"], tile["bands"], tile["acquired_at"].year) == ("CC-BY-4.0", ["red", "nir"], 2020)
    assert tile["attribution"] == ["Maker"]
    capsys.readouterr()
    assert main(["label", config]) == 0
    assert lake(tmp_path).read("rejects").num_rows == 3


def test_what_leaves_a_catalogue_is_reported(tmp_path: Path, catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        catalogue.add_scene(name)
    config = configure(tmp_path, href="catalogue", collections=["set"], bbox=[15, 45, 16, 46], sort=["datetime"])
    assert main(["label", config]) == 0
    catalogue.links.pop(0)
    catalogue.save()
    capsys.readouterr()
    assert main(["label", config]) == 0
    assert "1 scenes are no longer in their sources and leave the dataset: s.a" in capsys.readouterr().err


def test_a_search_without_an_answer_leaves_its_source_undone(
    tmp_path: Path, api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_band(tmp_path / "x.tif", 100)
    api.folder = str(tmp_path)
    api.items = [item("a", {"B04": band_asset(f"{api.address}/files/x.tif", "B04", "red")}, updated="2020-01-01T00:00:00Z")]
    config = configure(tmp_path, href=api.address)
    api.statuses = [503] * 3
    assert main(["plan", config]) == 1
    assert "does not answer (status 503)" in capsys.readouterr().err
    api.statuses = [503] * 3
    assert main(["build", config]) == 1
    error = capsys.readouterr().err
    assert "does not answer (status 503)" in error
    assert "run the same command again" in error
    assert list(scenes(tmp_path)) == ["f.plain"]
    api.statuses = []
    assert main(["label", config]) == 0
    assert sorted(scenes(tmp_path)) == ["f.plain", "s.a"]
    api.statuses = [503] * 3
    capsys.readouterr()
    assert main(["label", config]) == 1
    assert sorted(scenes(tmp_path)) == ["f.plain", "s.a"]
    assert "no longer" not in capsys.readouterr().err


@pytest.mark.parametrize("status", [503, 403])
def test_an_asset_that_its_server_does_not_give_is_undone_and_not_rejected(
    tmp_path: Path, api: ApiServer, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_band(tmp_path / "x.tif", 100)
    api.folder = str(tmp_path)
    api.items = [item("a", {"B04": band_asset(f"{api.address}/files/x.tif", "B04", "red")})]
    config = configure(tmp_path, href=api.address)
    api.file_status = status
    assert main(["label", config]) == 1
    assert "None of them is rejected" in capsys.readouterr().err
    assert list(scenes(tmp_path)) == ["f.plain"]
    api.file_status = 0
    assert main(["label", config]) == 0
    assert {name: row["probe_reason"] for name, row in scenes(tmp_path).items()} == {"f.plain": None, "s.a": None}


def test_no_secret_is_written_or_shown(
    tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_band(tmp_path / "x.tif", 100)
    monkeypatch.setenv("SAS", "sig=geheim")
    monkeypatch.setenv("KEY", "Bearer geheim")
    api.folder, api.token = str(tmp_path), "sig=geheim"
    names = ("x", "missing")
    api.items = [item(name, {"B04": band_asset(f"{api.address}/files/{name}.tif", "B04", "red")}) for name in names]
    config = configure(tmp_path, href=api.address, sign={f"{api.address}/files/": "SAS"}, headers={"Authorization": "KEY"})
    main(["build", config])
    assert {name: row["probe_reason"] for name, row in scenes(tmp_path).items()} == {
        "f.plain": None,
        "s.x": None,
        "s.missing": "missing_file",
    }
    output = capsys.readouterr()
    written = [path for path in (tmp_path / "lake").rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]
    assert not written
    assert "geheim" not in output.out + output.err
    monkeypatch.setenv("SAS", "sig=geheim&again")  # another signature of the same file
    api.token = "sig=geheim&again"
    before = scenes(tmp_path)["s.x"]
    main(["label", config])
    assert scenes(tmp_path)["s.x"] == before


@pytest.mark.parametrize(
    ("stac", "message"),
    [
        ({"href": "c", "nope": 1}, "scenes.stac.nope: unknown key"),
        ({"href": "c", "bbox": [1, 2, 3]}, "scenes.stac.bbox"),
        ({"href": "c", "bbox": [0, 50, 1, 40]}, "bbox is [0.0, 50.0, 1.0, 40.0]"),
        ({"href": "c", "bbox": [0, 0, 1, 1], "area": "x"}, "bbox and area are both set"),
        ({"href": "c", "period": "2020-13"}, "period is '2020-13'"),
        ({"href": "c", "period": "2021/2020"}, "expected a start before its end"),
        ({"href": "c", "query": {"a": {"=": 1}}}, "which is no operator"),
        ({"href": "c", "sign": {"https://host": "SAS"}}, "sign has 'https://host'"),
        ({"href": "c", "sign": {"https://host/": "sig=abc"}}, "no name of an environment variable"),
        ({"href": "c", "max_cloud_percent": 101}, "max_cloud_percent: found 101"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, stac: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", configure(tmp_path, **stac)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "sig=abc" not in error
