"""The table, what its labellers ask for, and what they have in common."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from rsflow.errors import ConfigError
from rsflow.labellers import LABELLERS, from_settings
from rsflow.records import Raster
from rsflow.sensors import SENSOR_NAMES
from rsflow.stage import fingerprint


def test_the_table_is_keyed_by_the_labellers_own_names() -> None:
    assert {name: labeller.name for name, labeller in LABELLERS.items()} == {name: name for name in LABELLERS}
    assert {sensor for labeller in LABELLERS.values() for sensor in labeller.sensors} == set(SENSOR_NAMES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "spektral"}, r"(?s)'spektral': did you mean 'spectral'.*cfar"),
        ({}, "known labellers: spectral, cfar"),
        ({"name": "cfar", "categry": "boat"}, "did you mean 'category'"),
        ({"name": "cfar", "ring_px": "9"}, "ring_px"),
        ({"name": "cfar", "quality": 1.5}, "quality"),
        ({"name": "cfar", "guard_px": 200}, "guard_px is 200: it must be smaller than ring_px"),
        ({"name": "spectral", "bands": {"infra": "B8"}}, "infra"),
    ],
)
def test_wrong_settings_are_refused_with_what_would_be_right(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_settings(settings)


def test_settings_are_part_of_the_fingerprint_and_travel() -> None:
    plain, other = from_settings({"name": "cfar"}), from_settings({"name": "cfar", "peak_sd": 12})
    assert fingerprint(plain) != fingerprint(other)
    assert fingerprint(pickle.loads(pickle.dumps(plain))) == fingerprint(plain)


def test_what_is_missing_is_told_before_anything_is_read() -> None:
    spectral = from_settings({"name": "spectral"})
    assert spectral.missing(("red", "green", "nir"), "optical") is None
    assert "nir" in str(spectral.missing(("red", "green", "blue"), "optical"))
    assert "sar" in str(spectral.missing(("vv",), "sar"))
    named = from_settings({"name": "spectral", "bands": {"nir": "B8A"}})
    assert named.missing(("red", "B8A"), "optical") is None
    assert "B8A" in str(named.missing(("red", "nir"), "optical"))
    assert "'vh'" in str(from_settings({"name": "cfar", "band": "vh"}).missing(("vv",), "sar"))
    assert from_settings({"name": "hotspot"}).missing(("lwir",), "infrared") is None
    assert all(from_settings({"name": "scene"}).missing((), sensor) is None for sensor in SENSOR_NAMES)


@pytest.mark.parametrize("name", LABELLERS)
@pytest.mark.parametrize("side", [1, 7, 40])
def test_empty_flat_and_tiny_tiles_give_no_box_and_no_error(name: str, side: int) -> None:
    labeller = from_settings({"name": name})
    bands = ("red", "green", "nir", "swir")  # enough for any labeller: cfar and hotspot take the first
    flat = Raster(np.full((4, side, side), 100, np.uint16), np.ones((side, side), bool), bands)
    empty = Raster(flat.pixels, np.zeros((side, side), bool), flat.bands)
    picture = np.full((side, side), 128, np.uint8)
    assert labeller.label(empty, picture, "dn", 10.0) == []
    for label in labeller.label(flat, picture, "dn", 10.0):
        assert label.kind != "box"
        assert label.provenance.origin == "labeller"
        assert label.provenance.quality == labeller.quality
