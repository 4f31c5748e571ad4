"""The kit's laws hold for rsflow's own readers, formats, labellers and dialects, and break for ones that are wrong."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.annotations import ANNOTATIONS, AnnotatedSet
from rsflow.dialects import DIALECTS
from rsflow.labellers import LABELLERS
from rsflow.readers import READERS
from rsflow.records import Label, Raster, SceneFiles
from rsflow.testing import check_annotations, check_dialect, check_labeller, check_reader
from tests.annotations.test_broken_files import WHOLE
from tests.readers.conftest import noise, write_tif

__all__ = ["write_tif"]

BANDS = ("red", "green", "blue", "nir", "swir")  # enough for any labeller: cfar and hotspot take the first


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_geotiffs_keep_the_laws(write_tif: Any, dtype: str) -> None:
    check_reader(READERS["geotiff"], {"": str(write_tif("a.tif", noise(3, 40, 30, dtype=dtype), nodata=3))})


def test_band_files_keep_the_laws(write_tif: Any) -> None:
    files = {band: str(write_tif(f"{band}.tif", noise(1, 40, 30, dtype="uint16"))) for band in ("red", "nir")}
    check_reader(READERS["bands"], files)


def test_pictures_keep_the_laws(tmp_path: Path) -> None:
    Image.fromarray(noise(40, 30, 3)).save(tmp_path / "a.png")
    check_reader(READERS["picture"], {"": str(tmp_path / "a.png")})


@pytest.mark.parametrize("name", sorted({*ANNOTATIONS} & {*WHOLE}))
def test_formats_keep_the_laws(name: str, tmp_path: Path) -> None:
    for file, text in WHOLE[name].items():
        (tmp_path / file).write_text(text)
    options = {"classes": str(tmp_path / "names")} if name.startswith("yolo") else {}
    (tmp_path / "names").write_text("ship\nplane\n")
    check_annotations(ANNOTATIONS[name], [str(tmp_path / file) for file in WHOLE[name]], **options)


@pytest.mark.parametrize("name", LABELLERS)
def test_labellers_keep_the_laws(name: str) -> None:
    check_labeller(LABELLERS[name], BANDS)


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_keep_the_laws(name: str) -> None:
    check_dialect(DIALECTS[name])


def test_a_reader_that_shifts_windows_is_found(write_tif: Any) -> None:
    def open_shifted(files: SceneFiles) -> Any:
        reader = READERS["geotiff"](files)
        read = reader.read
        whole = (reader.info.height_px, reader.info.width_px)
        # Right for the whole scene, one column off for parts of it.
        shifted = lambda window: (  # noqa: E731
            read(window)
            if (window.height_px, window.width_px) == whole or window.col_off == 0
            else dataclasses.replace(read(window), pixels=np.roll(read(window).pixels, 1, axis=2))
        )
        reader.read = shifted  # type: ignore[method-assign]
        return reader

    with pytest.raises(AssertionError, match="is that part of the whole scene"):
        check_reader(open_shifted, {"": str(write_tif("a.tif", noise(1, 40, 30)))})


def test_a_reader_with_bare_errors_is_found(write_tif: Any) -> None:
    def open_bare(files: SceneFiles) -> Any:
        Path(files.files[""]).read_bytes()
        return READERS["geotiff"](files)

    with pytest.raises(AssertionError, match="a file that is not there is a DataError: raised FileNotFoundError"):
        check_reader(open_bare, {"": str(write_tif("a.tif", noise(1, 40, 30)))})


def test_a_format_with_bare_errors_is_found(tmp_path: Path) -> None:
    def read_bare(files: Sequence[str]) -> AnnotatedSet:
        for file in files:
            json.loads(Path(file).read_text(errors="replace"))
        return ANNOTATIONS["coco"](files)

    (tmp_path / "a.json").write_text(WHOLE["coco"]["a.json"])
    with pytest.raises(AssertionError, match="a file that is empty: raised JSONDecodeError"):
        check_annotations(read_bare, [str(tmp_path / "a.json")])


def test_a_format_without_labels_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="files of the format have labels"):
        check_annotations(lambda files: AnnotatedSet({}), [str(tmp_path / "a.json")])


@dataclasses.dataclass(frozen=True)
class Hasty(LABELLERS["scene"]):  # type: ignore[misc]
    """A labeller that changes its input."""

    def label(self, raster: Raster, picture: Any, unit: Any, gsd_m: float | None) -> list[Label]:
        picture[:] = 0
        return list(super().label(raster, picture, unit, gsd_m))


def test_a_labeller_that_changes_its_tile_is_found() -> None:
    with pytest.raises(AssertionError, match="is not changed"):
        check_labeller(Hasty, BANDS)


def test_a_labeller_that_finds_nothing_is_found() -> None:
    nothing = Raster(np.zeros((1, 64, 64), np.float32), np.ones((64, 64), bool), ("vv",))
    with pytest.raises(AssertionError, match="the given tile has labels"):
        check_labeller(LABELLERS["cfar"], ("vv",), raster=nothing)


def test_a_dialect_that_rounds_more_than_it_says_is_found() -> None:
    llava = DIALECTS["llava"]
    exact = SimpleNamespace(spell=llava.spell, parse=llava.parse, max_rounding_px=lambda height, width: (0.0, 0.0))
    with pytest.raises(AssertionError, match="moves by at most max_rounding_px"):
        check_dialect(exact)  # type: ignore[arg-type]
