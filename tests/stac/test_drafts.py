"""`rsflow init` on folders that hold a catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.cli import main
from rsflow.discovery import find_annotations, find_scene_groups, list_tree, pair_sources
from rsflow.planning.recipe import load
from tests.stac.catalogue import Catalogue, band_asset, item, write_band


def test_a_catalogue_is_one_source_and_its_draft_plans(
    tmp_path: Path, catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        catalogue.add_scene(name)
    write_band(tmp_path / "plain/x_20200101.tif", 5)
    draft = tmp_path / "build.yaml"
    assert main(["init", str(tmp_path), "-o", str(draft)]) == 0
    built = load(str(draft))
    source = next(source for source in built.sources if source.scenes.stac)
    assert source.scenes.stac is not None
    assert source.scenes.stac.href == str(catalogue.folder / "collection.json")
    assert source.licence == ""
    assert "CC-BY-4.0" in built.select.allow_licences
    assert [other.scenes.files for other in built.sources if other is not source] == [str(tmp_path / "plain/*.tif")]
    capsys.readouterr()
    assert main(["plan", str(draft)]) == 0
    assert "3  new" in capsys.readouterr().out


def test_a_catalogue_of_radar_is_radar(catalogue: Catalogue) -> None:
    write_band(catalogue.folder / "x.tif", 5)
    catalogue.add(item("a", {"vv": band_asset("x.tif", "VV", "")}, **{"sar:instrument_mode": "IW"}))
    tree = list_tree([str(catalogue.folder)])
    (source,), unused = pair_sources(tree, find_scene_groups(tree), find_annotations(tree))
    assert (source.sensor, source.scenes.count, unused) == ("sar", 1, [])


def test_a_catalogue_of_what_lies_elsewhere_leaves_the_files_to_their_names(catalogue: Catalogue) -> None:
    write_band(catalogue.folder / "x.tif", 5)
    catalogue.add(item("a", {"B": band_asset("https://host/x.tif", "B", "red")}))
    tree = list_tree([str(catalogue.folder)])
    (source,), _ = pair_sources(tree, find_scene_groups(tree), find_annotations(tree))
    assert source.scenes.patterns == (f"{catalogue.folder}/*.tif",)
