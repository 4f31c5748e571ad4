"""Which labels one tile of a cell may give another, and where they lie there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rsflow.cells.registration import UNKNOWN_SHIFT, Shift
from rsflow.config.group_settings import Transfer
from rsflow.records import Label, Provenance, Shape
from rsflow.stages.transfer.moving_things import is_moving
from rsflow.stages.transfer.passed_labels import Visible, is_open, own_topics, pass_labels
from rsflow.stages.transfer.tile_pair import TilePair

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
HERE = Shift(0.0, 0.0, 0.9)
BY_HAND = Provenance("annotation", "boxes.json")


def tile(name: str, side: int = 128, when: datetime | None = NOON, **more: Any) -> dict[str, Any]:
    known = {"valid_share": 1.0, "cloud_share": 0.0, "bright_share": 0.0, "sensor": "optical"}
    return {"tile_id": name, "height_px": side, "width_px": side, "acquired_at": when, **known, **more}


def pair(days: float = 3, side: int = 128, **more: Any) -> TilePair:
    return TilePair(tile("one"), tile("other", side, NOON + timedelta(days=days), **more))


def box(category: str, *corners: float, **more: Any) -> Label:
    return Label("box", category, BY_HAND, Shape(corners, **more))  # type: ignore[arg-type]  # four numbers


def give(labels: list[Label], pair: TilePair, vocabulary: tuple[str, ...] = (), shift: Shift = HERE, **more: Any) -> Any:
    visible = Visible(more.pop("valid", None), more.pop("may_be_cloud", None))
    return pass_labels(labels, vocabulary, more.pop("unknown", ()), pair, shift, visible, Transfer(**more), 0.3)


def test_outlines_go_by_the_ratio_of_pixels_and_the_shift() -> None:
    hole = ((10.0, 10.0, 90.0, 10.0, 90.0, 90.0, 10.0, 90.0), (20.0, 20.0, 40.0, 20.0, 40.0, 40.0, 20.0, 40.0))
    label = Label("box", "lake", BY_HAND, Shape.of_parts((10, 10, 90, 90), (hole,)))
    (moved,) = give([label], pair(side=64), shift=Shift(1.5, -2.0, 0.9)).labels
    assert moved.shape.box == (6.5, 3.0, 46.5, 43.0)
    assert moved.shape.parts[0][1][:4] == (11.5, 8.0, 21.5, 8.0)
    assert moved.provenance.transferred_from == "one"


def test_objects_too_small_for_coarse_pixels_are_unknown_there() -> None:
    found = give([box("house", 20, 20, 40, 60), box("mall", 10, 10, 90, 90)], pair(side=16), ("house", "mall", "port"))
    assert [label.category for label in found.labels] == ["mall"]
    assert found.lost == (("too_small", "house"),)
    assert (found.vocabulary, found.unknown) == (("mall", "port"), ("house",))


@pytest.mark.parametrize(("days", "passes"), [(0, True), (1 / 86_400, False), (3, False)])
def test_what_moves_is_passed_at_the_same_moment_only(days: float, passes: bool) -> None:
    found = give([box("fishing-boat", 20, 20, 60, 40)], pair(days), ("fishing-boat", "pier"))
    assert (len(found.labels) == 1) is passes
    assert found.vocabulary == (("fishing-boat", "pier") if passes else ("pier",))
    assert found.unknown == (() if passes else ("fishing-boat",))


def test_two_scenes_of_one_date_without_a_time_of_day_are_not_of_one_moment() -> None:
    day = datetime(2020, 6, 1, tzinfo=UTC)
    assert TilePair(tile("one"), tile("other")).is_simultaneous
    assert not TilePair(tile("one", when=day), tile("other", when=day)).is_simultaneous
    assert not TilePair(tile("one", when=None), tile("other", when=None)).is_simultaneous


@pytest.mark.parametrize(
    ("category", "moves"),
    [
        *((name, True) for name in ("ship", "Small-Vehicle", "fishing boats", "passenger_car", "aircraft", "oil tanker")),
        *((name, True) for name in ("people", "cloud shadow", "flock of birds", "bright target", "Freight Train")),
        *((name, True) for name in ("Boeing737", "Boeing 747-400", "A220", "A1", "ARJ21", "F-16", "SU-35", "P-3C", "F/A-18")),
        *((name, True) for name in ("Pickup", "Cement mixer", "Ground grader", "Reach stacker", "loader", "Truck w/Flatbed")),
        *((name, True) for name in ("speedboat", "seaplane", "dinghy", "taxi", "ambulance", "camper", "cyclist", "rider")),
        *((name, True) for name in ("tank", "battle tanks", "vehicle-small", "passenger vehicle (car)", "car (parked)")),
        *((name, True) for name in ("Nimitz", "Asagiri DD", "LSD 41", "snow", "snow and ice", "ship-large", "boat in harbour")),
        *(
            (name, False)
            for name in ("Vehicle Lot", "water tank", "oil tanks", "LCZ1", "E1", "class 3", "road A12", "fire station")
        ),
        *((name, False) for name in ("floodplain", "boathouse", "aircraft hangar", "Dock/port", "helipad", "1", "(unknown)")),
        *((name, False) for name in ("car park", "ship yard", "storage-tank", "train station", "airport", "harbour", "bridge")),
        *((name, False) for name in ("solar panel", "tree", "swimming-pool", "ground track field", "", "container crane base")),
    ],
)
def test_what_moves(category: str, moves: bool) -> None:
    assert is_moving(category) is moves


def test_further_categories_of_things_that_move() -> None:
    assert is_moving("market stall", ["Stalls"])
    assert not is_moving("market hall", ["Stalls"])


def test_fill_of_the_other_tile_hides_objects() -> None:
    valid = np.ones((128, 128), np.bool_)
    valid[:, :64] = False
    labels = [box("house", 10, 10, 40, 40), box("barn", 60, 10, 80, 40), box("mill", 20, 60, 66, 90)]
    found = give(labels, pair(), ("house", "barn", "mill"), valid=valid)
    assert [label.category for label in found.labels] == ["barn"]
    assert found.lost == (("not_shown", "house"), ("hidden", "mill"))
    assert (found.vocabulary, found.unknown) == (("house", "barn"), ("mill",))


def test_what_is_white_or_clouded_in_the_other_tile_may_be_there() -> None:
    white = np.zeros((128, 128), np.bool_)
    white[10:40, 10:40] = True
    valid = np.ones((128, 128), np.bool_)
    valid[10:40, 10:30] = False
    labels = [box("house", 10, 10, 40, 40), box("house", 60, 10, 80, 40), box("barn", 20, 60, 66, 90)]
    for fill in (None, valid):
        found = give(labels, pair(), ("house", "barn"), valid=fill, may_be_cloud=white)
        assert [label.category for label in found.labels] == ["house", "barn"]
        assert found.lost == (("hidden", "house"),)
        assert (found.vocabulary, found.unknown) == (("barn",), ("house",))


@pytest.mark.parametrize(("side", "complete"), [(128, True), (160, True), (192, False), (1280, False), (64, True)])
def test_finer_pixels_may_show_objects_that_coarse_ones_do_not(side: int, complete: bool) -> None:
    found = give([box("house", 20, 20, 60, 60)], pair(side=side), ("house", "pier"))
    assert len(found.labels) == 1
    assert found.vocabulary == (("house", "pier") if complete else ())
    assert found.unknown == (() if complete else ("house", "pier"))


def test_shares_and_classes_of_a_whole_tile_need_two_whole_tiles() -> None:
    cover = Label("cover", "forest", BY_HAND, Shape((0, 0, 64, 128)), value=0.5)
    scene = Label("category", "farmland", BY_HAND)
    assert len(give([cover, scene], pair()).labels) == 2
    assert give([cover, scene], pair(valid_share=0.9)).lost == (("partly_shown", "forest"), ("partly_shown", "farmland"))


def test_an_incomplete_or_clouded_tile_says_nothing_of_all_objects() -> None:
    other = tile("other", when=NOON + timedelta(days=1))
    for wrong in ({"valid_share": 0.95}, {"cloud_share": 0.05}, {"cloud_share": None, "bright_share": 0.05}):
        assert give([], TilePair(tile("one", **wrong), other), ("house",)).vocabulary == ()
    assert give([], pair(), ("house",), kinds=("cover",)).vocabulary == ()
    assert give([], pair(), ("house", "hut"), unknown=("ignored regions",)).vocabulary == ()
    assert give([], pair(), ("house", "hut"), unknown=("hut",)).vocabulary == ("house",)


def test_a_tile_s_own_labels_are_never_added_to() -> None:
    made = Label("box", "house", Provenance("labeller", "detector"), Shape((1, 1, 9, 9)))
    own = [box("small vehicle", 1, 1, 9, 9), made]
    annotated = own_topics(own, ["tree"], ["pool"], annotated_only=True)
    assert [is_open(topic, annotated) for topic in ("house", "tree", "pool", "vehicle", "small vehicle", "mill", "")] == [
        *(True, False, False, False, False, True, False)
    ]
    assert not is_open("house", own_topics(own, [], [], annotated_only=False))


@pytest.mark.parametrize(
    ("shift", "side", "reason"),
    [
        (Shift(1.9, 0.0, 0.9), 128, None),
        (Shift(2.1, 0.0, 0.9), 128, "misregistered"),
        (UNKNOWN_SHIFT, 128, "misregistration_unknown"),
        (Shift(3.9, 0.0, 0.9), 256, None),
        (Shift(0.0, 4.1, 0.9), 256, "misregistered"),
        (Shift(0.0, 1.9, 0.9), 16, None),
    ],
)
def test_the_limit_of_shifts_counts_pixels_of_the_coarser_tile(shift: Shift, side: int, reason: str | None) -> None:
    found = pair(side=side).refusal_by_shift(shift, Transfer())
    assert (found[0] if found else None) == reason
    assert pair().refusal_by_shift(UNKNOWN_SHIFT, Transfer(on_unknown="keep")) is None


def reason(refusal: tuple[str, str] | None) -> str:
    assert refusal is not None
    return refusal[0]


def test_times_and_clouds_refuse_a_pair() -> None:
    undated = TilePair(tile("one"), tile("other", when=None))
    assert reason(undated.refusal_by_time(Transfer())) == "no_time"
    assert undated.refusal_by_time(Transfer(max_days=None)) is None
    assert reason(pair(31).refusal_by_time(Transfer())) == "too_long_between"
    assert reason(pair(cloud_share=0.2).refusal_by_cloud(Transfer())) == "cloudy"
    assert reason(pair(cloud_share=None, bright_share=0.2).refusal_by_cloud(Transfer())) == "cloudy"
    assert pair(cloud_share=0.05, bright_share=0.4).refusal_by_cloud(Transfer()) is None
