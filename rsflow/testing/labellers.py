"""The laws of a labeller without weights (rsflow.labellers.contract)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.labellers import Labeller
from rsflow.labellers.contract import Picture
from rsflow.records import Label, Raster
from rsflow.sensors import SENSORS, PixelUnit, SensorName
from rsflow.stage import fingerprint
from rsflow.testing.laws import require

SHAPES = ((1, 1), (3, 200), (64, 64))  # (rows, cols) of made tiles
GSD_M = 2.0


def check_labeller(
    kind: type[Labeller],
    bands: Sequence[str],
    settings: dict[str, Any] | None = None,
    raster: Raster | None = None,
    unit: PixelUnit | None = None,
) -> None:
    """Run all laws on the labeller with these settings, on made tiles of these bands.

    `raster`: a tile on which it finds something; with it, at least one label is expected. `unit`: of its pixels; by default
    that of the labeller's first sensor.
    """
    labeller = _check_settings(kind, settings or {})
    sensor = min(labeller.sensors)
    require(labeller.missing(tuple(bands), sensor) is None, f"it can label scenes with the bands {tuple(bands)}")
    unit = unit or SENSORS[sensor].default_unit
    for shape in SHAPES:
        for name, tile in _made_tiles(tuple(bands), shape):
            labels = _label(labeller, tile, unit, f"a tile of {shape} that is {name}")
            require(labels == [] or name != "invalid", "a tile without a valid pixel has no label")
    if raster is not None:
        require(_label(labeller, raster, unit, "the given tile"), "the given tile has labels: none was found")


def _check_settings(kind: type[Labeller], settings: dict[str, Any]) -> Labeller:
    require(dataclasses.is_dataclass(kind), "a labeller is a dataclass")
    require(isinstance(kind.name, str) and kind.name.isidentifier(), f"name is a word: found {kind.name!r}")
    require(isinstance(kind.version, int) and kind.version > 0, f"version is a number from 1: found {kind.version!r}")
    sensors = set(get_args(SensorName))
    require(kind.sensors and kind.sensors <= sensors, f"sensors are among {sorted(sensors)}: found {set(kind.sensors)}")
    labeller = check(kind, settings, kind.name)
    require(check(kind, settings, kind.name) == labeller, "equal settings make equal labellers")
    try:
        check(kind, {**settings, "no_such_setting": 1}, kind.name)
    except ConfigError:
        pass
    else:
        raise AssertionError("an unknown setting is refused: give the class `__pydantic_config__ = STRICT`")
    try:
        object.__getattribute__(labeller, "__setattr__")("version", 0)
    except dataclasses.FrozenInstanceError:
        pass
    else:
        raise AssertionError("a labeller is frozen: @dataclass(frozen=True)")
    require(len(fingerprint(labeller)) == 32, "a labeller's settings make its fingerprint")
    require(0 <= labeller.quality <= 1, f"quality is a share: found {labeller.quality}")
    return labeller


def _made_tiles(bands: tuple[str, ...], shape: tuple[int, int]) -> list[tuple[str, Raster]]:
    rng = np.random.default_rng(7)
    noise = rng.uniform(0, 1, (len(bands), *shape)).astype(np.float32)
    holes = np.where(rng.uniform(size=noise.shape) < 0.3, np.float32(np.nan), noise)
    every, none = np.ones(shape, bool), np.zeros(shape, bool)
    return [
        ("noise", Raster(noise, every, bands)),
        ("constant", Raster(np.full_like(noise, 0.5), every, bands)),
        ("zero", Raster(np.zeros_like(noise), every, bands)),
        ("partly not a number", Raster(holes, np.asarray(np.isfinite(holes).any(axis=0)), bands)),
        ("invalid", Raster(np.full_like(noise, np.nan), none, bands)),
    ]


def _label(labeller: Labeller, tile: Raster, unit: PixelUnit, where: str) -> list[Label]:
    picture: Picture = np.clip(255 * np.nan_to_num(tile.pixels[0]), 0, 255).astype(np.uint8)
    before = tile.pixels.tobytes(), tile.valid.tobytes(), picture.tobytes()
    labels = labeller.label(tile, picture, unit, GSD_M)
    require((tile.pixels.tobytes(), tile.valid.tobytes(), picture.tobytes()) == before, f"{where}: is not changed")
    require(labeller.label(tile, picture, unit, GSD_M) == labels, f"{where}: labelled twice, it has the same labels")
    labeller.label(tile, picture, unit, None)
    for label in labels:
        _check_label(f"{where}: {label}", labeller, label, tile.valid.shape)
    return labels


def _check_label(where: str, labeller: Labeller, label: Label, shape: tuple[int, ...]) -> None:
    origin = label.provenance
    require((origin.origin, origin.name) == ("labeller", labeller.name), f"{where}: its provenance is the labeller's own")
    require(origin.revision == str(labeller.version), f"{where}: its revision is the labeller's version")
    require(label.score is None or 0 <= label.score <= 1, f"{where}: a score is in [0, 1]")
    require(label.value is None or math.isfinite(label.value), f"{where}: a value is finite")
    require(label.kind != "box" or label.shape is not None, f"{where}: a box has a shape")
    if label.shape is not None:
        x0, y0, x1, y1 = label.shape.box
        rows, cols = shape
        require(0 <= x0 < x1 <= cols and 0 <= y0 < y1 <= rows, f"{where}: a box lies in its tile of {rows} x {cols}")
