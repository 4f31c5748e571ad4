"""Raw exports of Sentinel Hub's browsers: value and data mask, one file per band."""

from __future__ import annotations

import numpy as np
import pytest

from rsflow.calibration import to_physical
from rsflow.config.settings import Scenes, Source
from rsflow.readers import list_scenes, open_scene
from rsflow.spatial.geometry import Window

NAME = "2019-04-16-00:00_2019-04-16-23:59_Sentinel-2_L2A_{band}_(Raw).tiff"


@pytest.mark.parametrize(("dtype", "stored"), [("uint16", 13107), ("float32", 0.2), ("uint8", 51)])
def test_values_are_reflectances_whatever_the_type_and_the_mask_tells_what_is_there(tmp_path, write_tif, dtype, stored):
    for band in ("B04", "B08"):
        pixels = np.full((2, 16, 16), stored, dtype)
        pixels[1] = np.iinfo(dtype).max if dtype != "float32" else 1
        pixels[:, 0, 0] = 0
        write_tif("export/" + NAME.format(band=band), pixels)
    (scene,) = list_scenes(Source("hub", "optical", "Copernicus", Scenes(str(tmp_path / "export"), product="sentinelhub")))
    with open_scene(scene) as reader:
        assert reader.info.bands == ("red", "nir")
        assert (reader.info.unit, reader.info.acquired_at.date().isoformat()) == ("reflectance", "2019-04-16")
        part = reader.read(Window(0, 0, 4, 4))
        assert not part.valid[0, 0]
        assert part.valid.sum() == 15
        values = to_physical(part, reader.info.calibration, reader.info.nodata)
        np.testing.assert_allclose(values.pixels[:, 1, 1], 0.2, rtol=1e-6)
