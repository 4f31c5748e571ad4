"""Files as they come: archives, texts in other encodings, curves, Parquet without metadata; and what is wrong with each."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from rsflow.config.annotation_settings import Annotations
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.ground.files.curves import _type_codes
from rsflow.ground.layer_copy import LayerSummary, read_features
from rsflow.ground.layer_settings import VectorOptions
from rsflow.ground.layer_store import layer_copy
from tests.ground.conftest import write_layer

SQUARES = [shapely.box(14, 45, 14.001, 45.001), shapely.box(14.002, 45, 14.003, 45.001)]
NAMES = ["house", "Straße"]
BY_KIND = {"rules": [{"category": {"from": "kind"}}]}


def summary_of(file: Path | str, options: dict[str, object] = BY_KIND) -> LayerSummary:
    root = Path(str(file).partition(".")[0]).parent / "lake"
    return layer_copy(Annotations("vector", str(file)), check(VectorOptions, options, "test"), str(root), "here").summary


def refused(file: Path | str, options: dict[str, object] = BY_KIND) -> str:
    with pytest.raises(ConfigError) as found:
        summary_of(file, options)
    return str(found.value)


def write_shapefile(folder: Path) -> Path:
    return write_layer(folder / "s.shp", SQUARES, {"kind": NAMES}, crs="EPSG:4326", encoding="cp1252")


def test_texts_of_a_shapefile_are_decoded_as_it_states(tmp_path: Path) -> None:
    file = write_shapefile(tmp_path)
    assert summary_of(file).counts == {"Straße": 1, "house": 1}
    (tmp_path / "s.cpg").unlink()
    text = refused(file)
    assert "attribute 'kind' has text that is not UTF-8" in text
    assert "CP1252" in text


def test_a_shapefile_without_its_index_is_refused(tmp_path: Path) -> None:
    file = write_shapefile(tmp_path)
    (tmp_path / "s.shx").unlink()
    assert "has no s.shx beside it" in refused(file)
    assert not (tmp_path / "s.shx").exists()


def test_archives_are_read_by_member(tmp_path: Path) -> None:
    write_shapefile(tmp_path)
    plain = write_layer(tmp_path / "g.geojson", SQUARES, {"kind": NAMES}, crs="EPSG:4326")
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for part in tmp_path.glob("s.*"):
            archive.write(part, part.name)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(plain, "a/first.geojson")
        archive.write(plain, "b/second.geojson")
    (tmp_path / "g.geojson.gz").write_bytes(gzip.compress(plain.read_bytes()))
    expected = {"Straße": 1, "house": 1}
    for name in ("one.zip", "one.zip/s.shp", "two.zip/b/second.geojson", "g.geojson.gz"):
        assert summary_of(tmp_path / name).counts == expected, name
    assert summary_of(f"/vsizip/{tmp_path}/one.zip/s.shp").counts == expected
    text = refused(tmp_path / "two.zip")
    assert "holds 2 vector files" in text
    assert "a/first.geojson, b/second.geojson" in text
    assert "has no member 'c.shp'" in refused(tmp_path / "two.zip/c.shp")
    for name in ("one.zip", "g.geojson.gz"):
        (tmp_path / f"cut.{name}").write_bytes((tmp_path / name).read_bytes()[:-30])
        assert "truncated" in refused(tmp_path / f"cut.{name}")


def test_type_codes_of_a_slice_are_those_of_its_values() -> None:
    line, points = shapely.LineString([(0, 0), (1, 1)]), shapely.MultiPoint([(0, 0)])
    shapes = np.array([shapely.Point(0, 0), line, None, shapely.box(0, 0, 1, 1), points], object)
    wkb = pa.array(shapely.to_wkb(shapes), pa.binary())
    for start in range(5):
        assert _type_codes(wkb.slice(start)).tolist() == [1, 2, -1, 3, 4][start:]
        assert _type_codes(pa.array(wkb.drop_null().to_pylist(), pa.binary()).slice(start)).tolist() == [1, 2, 3, 4][start:]


def test_curves_become_lines_and_surfaces_of_triangles_are_counted(tmp_path: Path) -> None:
    shapes = {
        "disc": "CURVEPOLYGON(CIRCULARSTRING(14 45,14.001 45.001,14.002 45,14.001 44.999,14 45))",
        "square": "POLYGON((14 45,14.1 45,14.1 45.1,14 45))",
        "arc": "CIRCULARSTRING(14 45,14.001 45.001,14.002 45)",
        "mesh": "TIN(((14 45 0,14.1 45 0,14.1 45.1 0,14 45 0)))",
    }
    (tmp_path / "c.csv").write_text("kind;wkt\n" + "".join(f'{name};"{shape}"\n' for name, shape in shapes.items()))
    found = summary_of(tmp_path / "c.csv", {**BY_KIND, "crs": "EPSG:4326", "id_attribute": "kind"})
    assert found.counts == {"arc": 1, "disc": 1, "square": 1}
    assert found.faults == {"geometry_unreadable": (1, ("mesh",))}
    assert found.bounds == pytest.approx((14, 44.999, 14.1, 45.1), abs=1e-6)


def write_parquet(path: Path, geo: object = None, column: str = "geom") -> Path:
    table = pa.table({"kind": NAMES, column: shapely.to_wkb(SQUARES)})
    text = geo if isinstance(geo, str) else json.dumps(geo)
    pq.write_table(table.replace_schema_metadata({"geo": text}) if geo else table, path)
    return path


def test_parquet_without_metadata_needs_its_reference_system(tmp_path: Path) -> None:
    file = write_parquet(tmp_path / "plain.parquet")
    assert "names no coordinate reference system" in refused(file)
    assert summary_of(file, {**BY_KIND, "crs": "EPSG:4326"}).features == 2
    assert "no binary column is named geometry" in refused(write_parquet(tmp_path / "other.parquet", column="payload"))


@pytest.mark.parametrize(
    ("geo", "expected"),
    [
        ("{broken", "is no GeoParquet metadata"),
        ({"version": "1.0.0"}, "is no GeoParquet metadata"),
        ({"primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}, "geometry column 'g', which it does not have"),
        ({"primary_column": "geom", "columns": {"geom": {"encoding": "polygon"}}}, "encoded as polygon, expected WKB"),
    ],
)
def test_wrong_metadata_of_parquet(tmp_path: Path, geo: object, expected: str) -> None:
    assert expected in refused(write_parquet(tmp_path / "wrong.parquet", geo))


def test_settings_that_name_an_attribute_which_no_layer_has(tmp_path: Path) -> None:
    file = write_layer(tmp_path / "g.geojson", SQUARES, {"kind": NAMES}, crs="EPSG:4326")
    for setting in ("id_attribute", "name_attribute"):
        assert f"{setting}: no layer has the attribute 'nom'; attributes: kind" in refused(file, {**BY_KIND, setting: "nom"})
    assert "since_attribute: no layer" in refused(file, {**BY_KIND, "validity": {"since_attribute": "built"}})


def test_a_feature_without_an_id_is_named_as_such(tmp_path: Path) -> None:
    bow = shapely.Polygon([(14, 45), (14.1, 45.1), (14.1, 45), (14, 45.1)])
    file = write_layer(tmp_path / "g.geojson", [bow, SQUARES[0]], {"kind": [None, "a"]}, crs="EPSG:4326")
    found = summary_of(file, {"category": "house", "id_attribute": "kind"})
    assert found.faults == {"geometry_repaired": (1, ("(no id)",))}


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "e.gpkg").write_bytes(b"")
    assert "it has 0 bytes" in refused(tmp_path / "e.gpkg")


def test_reading_leaves_nothing_beside_a_file(tmp_path: Path) -> None:
    write_layer(tmp_path / "g.gml", SQUARES, {"kind": NAMES}, crs="EPSG:4326")
    (tmp_path / "g.xsd").unlink()
    assert summary_of(tmp_path / "g.gml").counts == {"Straße": 1, "house": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.gml", "lake"]
    (tmp_path / "g.gml").write_text("<a>")
    assert str(tmp_path / "g.gml") in refused(tmp_path / "g.gml")


def test_rings_across_the_antimeridian_and_round_a_pole_are_closed(tmp_path: Path) -> None:
    crossing = shapely.Polygon(
        [(170, 10), (-170, 10), (-170, 30), (170, 30)], [[(-179, 15), (-175, 15), (-175, 20), (-179, 20)]]
    )
    cap = shapely.Polygon([(-170, -70), (-60, -70), (60, -70), (170, -70)])
    file = write_layer(tmp_path / "g.gpkg", [crossing, cap], {"kind": ["island", "ice"]}, crs="EPSG:4326")
    copy = layer_copy(Annotations("vector", str(file)), check(VectorOptions, BY_KIND, "test"), str(tmp_path), "here")
    found = read_features(str(tmp_path / copy.file), copy.summary.forms)
    areas = {found.kinds[form].category: shape.area for form, shape in zip(found.forms, found.shapes.geometries, strict=True)}
    assert areas == {"island": pytest.approx(20 * 20 - 4 * 5), "ice": pytest.approx(360 * 20)}
    assert not copy.summary.faults
