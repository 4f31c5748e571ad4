"""Of which other tiles of its cell a tile gets labels, and what of it is shown there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from rsflow.cells.registration import Shift
from rsflow.config.group_settings import Transfer
from rsflow.records import Label, Provenance, Raster, Shape
from rsflow.schemas import label_row
from rsflow.stages.transfer import transfer_labels
from rsflow.stages.transfer.transfer_labels import TransferLabels

BY_HAND = Provenance("annotation", "boxes.json")
HOUSE = Label("box", "house", BY_HAND, Shape((10, 10, 40, 40)))
FOREST = Label("cover", "forest", BY_HAND, value=0.6)
FARMLAND = Label("category", "farmland", BY_HAND)


class Pictures:
    """The pictures of all tiles: grey ground with one white roof, registered."""

    def __init__(self, *settings: Any) -> None:
        self._picture = np.full((128, 128, 3), 90, np.uint8)
        self._picture[10:40, 10:40] = 235

    def shift(self, first: str, other: str) -> Shift:
        return Shift(0.0, 0.0, 0.9)

    def picture(self, name: str) -> Any:
        return self._picture, np.ones((128, 128), np.bool_)


@pytest.fixture(autouse=True)
def _pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_labels, "CellPictures", Pictures)


def tile(name: str, day: int, **more: Any) -> dict[str, Any]:
    known = {"valid_share": 1.0, "cloud_share": 0.0, "bright_share": 0.0, "sensor": "optical", "raw": None, "source": "s"}
    place = {"height_px": 128, "width_px": 128, "vocabulary": [], "unknown": [], "scene_id": name}
    return {"tile_id": name, "acquired_at": datetime(2020, 6, day, 12, tzinfo=UTC), **known, **place, **more}


def transfer(tiles: list[dict[str, Any]], labels: dict[str, list[Label]], **more: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of the receipt, by table, of one cell."""
    unreviewed = more.pop("unreviewed", [])
    rows = [
        {"label_id": f"{name}#{number}", "tile_id": name, **label_row(label)}
        for name, mine in labels.items()
        for number, label in enumerate(mine)
    ]
    work = {"unit": "u", "scene_id": "", "source": "", "place": "c", "tiles": tiles, "labels": rows, "unreviewed": unreviewed}
    (receipt,) = transfer_labels._CellTransfer(TransferLabels(Transfer(**more), 0.3, ""), work).receipt().to_pylist()
    return {name: receipt[name] for name in ("labels", "transfers", "rejects")}


def test_cover_and_class_come_from_the_next_source_where_the_nearest_is_not_whole() -> None:
    tiles = [tile("part", 2, valid_share=0.95), tile("whole", 3), tile("later", 4), tile("target", 1)]
    given = {name: [FOREST, FARMLAND] for name in ("part", "whole", "later")}
    found = transfer(tiles, given)
    got = [(row["category"], row["transferred_from"]) for row in found["labels"] if row["tile_id"] == "target"]
    assert got == [("forest", "whole"), ("farmland", "whole")]
    lost = [
        row["reason"] for row in found["rejects"] if row["detail"].startswith("labels of part") and row["subject"] == "target"
    ]
    assert lost == ["partly_shown"]


def test_each_source_that_is_too_far_in_time_is_a_reject() -> None:
    tiles = [tile("one", 12), tile("two", 13), tile("undated", 1, acquired_at=None), tile("target", 1)]
    found = transfer(tiles, {name: [HOUSE] for name in ("one", "two", "undated")}, max_days=5)
    reasons = [(row["reason"], row["rows"]) for row in found["rejects"] if row["subject"] == "target"]
    assert reasons == [("too_long_between", 1), ("too_long_between", 1), ("no_time", 1)]


def test_a_white_roof_is_unknown_where_no_band_tells_it_from_cloud() -> None:
    tiles = [tile("source", 2, vocabulary=["house"]), tile("target", 1, cloud_share=None, bright_share=0.05)]
    found = transfer(tiles, {"source": [HOUSE]})
    assert [row["reason"] for row in found["rejects"]] == ["hidden"]
    assert found["transfers"] == []


@pytest.mark.parametrize(("clouded", "reasons"), [(False, []), (True, ["hidden"])])
def test_a_mask_band_says_where_there_is_cloud(monkeypatch: pytest.MonkeyPatch, clouded: bool, reasons: list[str]) -> None:
    mask = np.zeros((1, 128, 128), np.uint8)
    mask[0, 10:40, 10 + 60 * (not clouded) : 100] = 1
    stored = Raster(mask, np.ones((128, 128), np.bool_), ("cloud_mask",))
    monkeypatch.setattr(transfer_labels, "read_stored", lambda root, row: stored)
    tiles = [tile("source", 2), tile("target", 1, cloud_share=0.05, raw={"unit": "reflectance"})]
    found = transfer(tiles, {"source": [HOUSE]})
    assert [row["reason"] for row in found["rejects"]] == reasons


def test_what_reviewers_decided_on_a_tile_does_not_close_it_to_labels_of_others() -> None:
    added = Label("box", "house", Provenance("annotation", "review"), Shape((80, 80, 99, 99)))
    before = [{"tile_id": "target", "vocabulary": [], "unknown": [], "labels": []}]
    for labels, unknown in (([added], []), ([], ["house"])):
        tiles = [tile("source", 2), tile("target", 1, unknown=unknown)]
        found = transfer(tiles, {"source": [HOUSE], "target": labels}, unreviewed=before)
        assert [row["box"] for row in found["labels"] if row["tile_id"] == "target"] == [[10, 10, 40, 40]]
        assert transfer(tiles, {"source": [HOUSE], "target": labels})["labels"] == []
