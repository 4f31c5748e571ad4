"""Labels of a real, small build against its annotations; what there is no truth for is told, not guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rsflow.cli import main
from rsflow.errors import UsageError
from rsflow.inspection.evaluate_labels import evaluate, fit_calibrations
from rsflow.labellers.quality.calibration import Calibration
from rsflow.labellers.quality.detection_metrics import Score, score
from rsflow.lake.tables import open_lake
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.report.label_quality import quality_json, quality_text
from rsflow.spatial.geometry import Box
from tests.archive import settings

pytest.importorskip("pycocotools")

# Tiles of 64 px hold few windows to tell an even sea by.
CFAR = {"name": "cfar", "ring_px": 41, "guard_px": 25, "min_even_windows": 1, "max_water_spread": 1.0}


def labelled(archive: Path, labeller: dict[str, Any], **annotations: Any) -> str:
    """The archive's radar scenes labelled; returns the lake's root."""
    built = settings(archive)
    sea = built["sources"][1]
    sea["labellers"] = [labeller]
    sea["annotations"] = {**sea["annotations"], **annotations}
    (archive / "judge.yaml").write_text(yaml.safe_dump({**built, "sources": [sea]}))
    run(load(str(archive / "judge.yaml")), ("label",))
    return str(built["root"])


def boxes(rows: list[dict[str, Any]], tile: str, origin: str) -> list[Box]:
    return [tuple(row["box"]) for row in rows if (row["tile_id"], row["origin"], row["kind"]) == (tile, origin, "box")]


def test_counts_are_those_of_the_lakes_rows(archive: Path) -> None:
    root = labelled(archive, CFAR)
    found = evaluate(root, iou=0.3)
    any_, ship = found.qualities
    assert [(one.key, one.sensor, one.category) for one in found.qualities] == [("cfar", "sar", "*"), ("cfar", "sar", "ship")]
    tiles, rows = open_lake(root).read("tiles").to_pylist(), open_lake(root).read("labels").to_pylist()
    whole = [tile["tile_id"] for tile in tiles if "ship" in tile["vocabulary"]]
    assert 0 < ship.left_out == len(tiles) - len(whole)
    plain = sum((score(boxes(rows, tile, "labeller"), boxes(rows, tile, "annotation"), 0.3) for tile in whole), Score())
    assert plain.right > 3
    assert (ship.evaluation.true, ship.evaluation.used, ship.evaluation.right) == (plain.true, plain.found, plain.right)
    assert any_.evaluation == ship.evaluation  # docks are annotated, and there are none
    assert "fewer than 50 true boxes" in found.notes[0]


def test_a_labeller_of_other_words_is_compared_by_place_alone(archive: Path) -> None:
    root = labelled(archive, {**CFAR, "category": "bright thing"})
    (only,) = evaluate(root).qualities
    assert only.category == "*"
    assert only.evaluation.right > 3
    assert set(fit_calibrations(evaluate(root)).calibrations[0].curves) == {"*"}


def test_annotations_with_gaps_are_told(archive: Path) -> None:
    root = labelled(archive, CFAR, exhaustive=False)
    found = evaluate(root)
    assert "sea: its annotations are not exhaustive" in found.notes[0]
    assert {one.left_out for one in found.qualities} == {0}


@pytest.mark.parametrize(
    ("labeller", "annotated", "message"),
    [
        ({"name": "scene"}, True, "no labeller has made a box here"),
        (CFAR, False, r"nothing to evaluate by: cfar is not counted: none of its sources \(sea\) has annotated boxes"),
    ],
)
def test_where_there_is_no_truth_nothing_is_told(
    archive: Path, labeller: dict[str, Any], annotated: bool, message: str
) -> None:
    if not annotated:
        (archive / "sar.json").write_text(json.dumps({"images": [{"id": 1, "file_name": "s0.tif"}], "annotations": []}))
    with pytest.raises(UsageError, match=message):
        evaluate(labelled(archive, labeller))


def test_the_command_tells_and_calibrates(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = labelled(archive, CFAR)
    file = archive / "calibration.json"
    assert main(["evaluate-labels", root, "--labeller", "cfar", "--calibrate", "-o", str(file)]) == 0
    assert capsys.readouterr().out.startswith("labeller  sensor  category")
    assert 0 <= Calibration.load(str(file), "cfar").score("ship", 0.9) <= 1
    assert main(["evaluate-labels", root, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["category"] for row in told["qualities"]] == ["any", "ship"]
    assert main(["evaluate-labels", root, "--labeller", "detr"]) == 2
    assert "no labeller 'detr' has made a box here; these have: cfar" in capsys.readouterr().err
    assert main(["evaluate-labels", root, "--calibrate"]) == 2
    assert main(["evaluate-labels", root, "--iou", "1.5"]) == 2
    found = evaluate(root)
    assert json.loads(quality_json(found.qualities, found.iou, found.notes)) == told
    assert "note: fewer than" in quality_text(found.qualities, found.iou, found.notes)


def test_a_model_is_judged_by_what_it_saw_of_each_tile_and_calibrated_once(archive: Path) -> None:
    checkpoints = pytest.importorskip("tests.checkpoints", reason="needs torch and transformers: pip install 'rsflow[vlm]'")
    checkpoints.constant_detr(archive / "detr", (0.5, 0.5, 0.25, 0.5), 0.9)
    detector = {"name": "detector", "model": str(archive / "detr"), "device": "cpu"}
    root = labelled(archive, detector)
    found = evaluate(root)
    ship = found.qualities[-1]
    assert (ship.name, ship.key[:9], len(ship.evaluation.judged)) == ("detector", "detector-", ship.evaluation.pictures)
    assert evaluate(root, "detector") == evaluate(root, ship.key) == found
    file = archive / "calibration.json"
    file.write_bytes(fit_calibrations(found).to_json())
    again = evaluate(labelled(archive, {**detector, "calibration": str(file), "threshold": 0.0}))
    learned = {one.scored_box.score for one in again.qualities[-1].evaluation.judged}
    assert sorted(learned) == [pytest.approx(Calibration.load(str(file), "detector").score("ship", 0.9), abs=1e-3)]
    with pytest.raises(UsageError, match="is calibrated already: build without its `calibration`"):
        fit_calibrations(again)
