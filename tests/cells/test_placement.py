"""Which zones and cells a footprint meets, and what they are called."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from rsflow.cells.cell_names import cell_centre
from rsflow.cells.major_tom import cell_grid
from rsflow.cells.placement import CellSettings, cell_windows, target_grids
from rsflow.cells.target_grid import TargetGrid
from rsflow.cells.zones import ZONES, zone_named, zone_of, zone_parts

UTM = CellSettings("utm", 10.0, 64)


def ring(west: float, south: float, east: float, north: float, pieces: int = 8) -> tuple[float, ...]:
    outline = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / pieces).exterior
    return tuple(value for point in outline.coords[:-1] for value in point)


def names(outline: tuple[float, ...], settings: CellSettings = UTM) -> set[str]:
    return {grid.cell_name(window) for grid in target_grids(outline, settings) for window in cell_windows(outline, grid)}


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (15.0, 45.0, "utm33n"),
        (12.0, 0.0, "utm33n"),  # a strip holds its western edge, the north the equator
        (11.999, -0.001, "utm32s"),
        (5.0, 60.5, "utm31n"),  # Norway has no exception
        (180.0, 10.0, "utm01n"),
        (-180.0, 10.0, "utm01n"),
        (179.9, -79.9, "utm60s"),
        (0.0, 84.0, "upsn"),
        (0.0, -80.1, "upss"),
    ],
)
def test_a_place_belongs_to_one_zone(lon: float, lat: float, name: str) -> None:
    zone = zone_of(lon, lat)
    assert zone.name == name
    assert zone_named(name) == zone


def test_zones_have_the_codes_of_wgs_84() -> None:
    assert zone_named("utm33n").crs == "EPSG:32633"
    assert zone_named("utm01s").crs == "EPSG:32701"
    assert zone_named("upsn").crs == "EPSG:32661"
    assert zone_named("upss").crs == "EPSG:32761"
    assert len({zone.crs for zone in ZONES}) == 122
    for name in ("utm00n", "utm61n", "utm33", "UTM33N", ""):
        with pytest.raises(ValueError, match="no zone"):
            zone_named(name)


@pytest.mark.parametrize(
    ("outline", "zones"),
    [
        (ring(14.0, 45.0, 14.1, 45.1), {"utm33n"}),
        (ring(11.9, -0.1, 12.1, 0.1), {"utm32n", "utm33n", "utm32s", "utm33s"}),
        (ring(179.9, 10.0, 180.1, 10.1), {"utm60n", "utm01n"}),
        (ring(-180.1, 10.0, -179.9, 10.1), {"utm60n", "utm01n"}),
        (ring(20.0, 83.9, 21.0, 84.1), {"utm34n", "upsn"}),
    ],
)
def test_a_scene_has_a_grid_in_each_zone_it_meets(outline: tuple[float, ...], zones: set[str]) -> None:
    assert {zone.name for zone, _ in zone_parts(outline)} == zones
    assert {grid.cells.partition("/")[0] for grid in target_grids(outline, UTM)} == zones


@pytest.mark.parametrize(
    "outline", [ring(11.98, 45.0, 12.02, 45.03), ring(179.98, -0.02, 180.02, 0.02), ring(-1.0, 88.0, 1.0, 88.05)]
)
def test_every_place_of_a_scene_is_in_a_cell_of_its_own_zone(outline: tuple[float, ...]) -> None:
    found = names(outline)
    west, south, east, north = min(outline[::2]), min(outline[1::2]), max(outline[::2]), max(outline[1::2])
    for lon, lat in np.random.default_rng(1).uniform((west, south), (east, north), (200, 2)):
        zone = zone_of(lon, lat)
        x, y = Transformer.from_crs("EPSG:4326", zone.crs, always_xy=True).transform(lon, lat)
        assert f"{zone.name}/640m/{int(y // 640)}/{int(x // 640)}" in found


def test_cells_are_named_by_their_lower_left_corner_and_nest() -> None:
    outline = ring(14.0, 45.0, 14.02, 45.02)
    small, large = names(outline), names(outline, CellSettings("utm", 10.0, 128))
    parents = set()
    for name in small:
        zone, side, north, east = name.split("/")
        assert side == "640m"
        parents.add(f"{zone}/1280m/{int(north) // 2}/{int(east) // 2}")
    assert parents == large


def test_sensors_with_other_pixels_share_cells() -> None:
    outline = ring(14.0, 45.0, 14.02, 45.02)
    coarse, fine = names(outline, CellSettings("utm", 160.0, 4)), names(outline, CellSettings("utm", 0.625, 1024))
    # Along the scene's edge a cell may hold the middle of a small pixel and of no large one.
    assert coarse <= names(outline) <= fine
    assert len(coarse) >= 0.5 * len(fine)


def test_a_scene_whose_edges_are_those_of_cells_has_no_cells_beyond() -> None:
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    side = np.linspace(0, 1280, 17)
    xs = np.concatenate([640_000 + side, np.full(17, 641_280), 641_280 - side, np.full(17, 640_000)])
    ys = np.concatenate([np.full(17, 4_992_000), 4_992_000 + side, np.full(17, 4_993_280), 4_993_280 - side])
    outline = tuple(np.stack(to_degrees.transform(xs, ys), axis=1).reshape(-1).tolist())
    assert names(outline) == {f"utm33n/640m/{7800 + i}/{1000 + j}" for i in (0, 1) for j in (0, 1)}


def test_a_scene_without_the_middle_of_a_pixel_has_no_cell() -> None:
    to_degrees = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    corners = [(640_000.5, 4_992_000.5), (640_001.5, 4_992_000.5), (640_001.5, 4_992_001.5), (640_000.5, 4_992_001.5)]
    outline = tuple(value for x, y in corners for value in to_degrees.transform(x, y))
    assert target_grids(outline, UTM) == []
    assert len(target_grids(outline, CellSettings("utm", 1.0, 640))) == 1


@pytest.mark.parametrize(
    "outline", [ring(14.0, 45.0, 14.03, 45.02), ring(-70.0, -33.0, -69.98, -32.98), ring(3.0, -85.0, 3.4, -84.97)]
)
def test_the_middle_of_a_cell_follows_from_its_name(outline: tuple[float, ...]) -> None:
    for grid in target_grids(outline, UTM):
        to_degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
        for window in cell_windows(outline, grid):
            box = grid.geobox[window.row_off : window.row_stop, window.col_off : window.col_stop].boundingbox
            middle = to_degrees.transform((box.left + box.right) / 2, (box.bottom + box.top) / 2)
            assert cell_centre(grid.cell_name(window)) == pytest.approx(middle, abs=1e-9)


def test_major_tom_is_the_published_grid() -> None:
    grid = cell_grid(199, 1099, 1068, 10.0)  # bounds of the published picture 199U_1099R
    assert (grid.cells, grid.crs, grid.height_px, grid.width_px) == ("199U_1099R", "EPSG:32648", 1068, 1068)
    assert grid.transform[2] == pytest.approx(362_612.19685932994, abs=1e-3)
    assert grid.transform[5] == pytest.approx(1_987_088.206431803, abs=1e-3)
    assert cell_grid(-1, -3, 1068, 10.0).cells == "1D_3L"
    lon, lat = cell_centre("199U_1099R")
    assert "199U_1099R" in names(ring(lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001), CellSettings("majortom", 10.0, 1068))
    with pytest.raises(ValueError, match="less than the 10000 m"):
        cell_grid(0, 0, 100, 10.0)


def test_a_cell_of_another_form_is_refused() -> None:
    for name in ("", "10km/+3/4", "utm33n/640m/1", "199U"):
        with pytest.raises(ValueError, match="no cell"):
            cell_centre(name)


def test_a_grid_survives_json() -> None:
    (grid,) = target_grids(ring(14.0, 45.0, 14.01, 45.01), UTM)
    assert TargetGrid(**grid.to_json()) == grid
