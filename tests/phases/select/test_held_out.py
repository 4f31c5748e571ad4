"""What is held out is recognised by name, exactly, flipped, near and by its ground, and leaves with all its duplicates."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter

from rsflow.curation.duplicates.pictures.image_signature import pixels_digest, signature
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.curation.duplicates.pictures.picture_fingerprints import FINGERPRINTS, fingerprint_picture, match_fingerprints
from rsflow.curation.splits.split_groups import splits_by_strength
from rsflow.errors import UsageError
from rsflow.phases.build import run
from rsflow.phases.select.held_out import fingerprint_place, read_fingerprints, write_fingerprints
from rsflow.phases.select.leakage import compare_sets
from rsflow.planning.recipe import load
from tests.archive import optical, write_scene


def picture(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    ground = np.stack([gaussian_filter(random.normal(size=(96, 96)), 4) for _ in range(3)], axis=2)
    pixels: np.ndarray = np.clip(128 + 700 * ground, 0, 255).astype(np.uint8)
    return pixels


def save(path: Path, pixels: np.ndarray, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Ten plain pictures as a source, and a benchmark of some of them: equal, flipped, encoded anew; and a stranger."""
    for k in range(10):
        save(tmp_path / f"own/p{k}.png", picture(k))
    save(tmp_path / "own/p3_copy.png", picture(3))
    save(tmp_path / "bench/a.png", picture(0))
    save(tmp_path / "bench/b.bmp", picture(1))
    save(tmp_path / "bench/deep/c.png", np.ascontiguousarray(np.rot90(picture(2)[:, ::-1])))
    save(tmp_path / "bench/d.jpg", apply_orientation(picture(3), 3), quality=85)
    save(tmp_path / "bench/e.png", picture(77))
    source = {
        "name": "own",
        "sensor": "optical",
        "licence": "CC0-1.0",
        "scenes": {"files": f"{tmp_path}/own/*.png"},
        "labellers": [{"name": "scene"}],
    }
    settings = {
        "root": str(tmp_path / "lake"),
        "sources": [source],
        "engine": {"kind": "inline"},
        "render": {"format": "png"},
        "select": {"splits": {"train": 1.0}},
    }
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def reasons(folder: Path, held: str, **more: str) -> dict[str, str]:
    fields = ", ".join(f"{key}: {value}" for key, value in {"name": "bench", "files": held, **more}.items())
    outcome = run(load(str(folder / "build.yaml"), [f"select.held_out=[{{{fields}}}]"]))
    rows = outcome.lake.read("selection").to_pylist()
    return {row["tile_id"].split("/")[0]: row["reason"] for row in rows if row["kind"] == "tile"}


def test_a_folder_keeps_out_what_it_shows_however_it_is_turned(pictures: Path) -> None:
    found = reasons(pictures, f"{pictures}/bench")
    held = {name: reason for name, reason in found.items() if reason.startswith("held_out:bench:")}
    expected = {"own.p0": "exact", "own.p1": "exact", "own.p2": "flipped", "own.p3": "near"}
    assert {name: held[name].split(":")[2] for name in expected} == expected
    assert found["own.p3_copy"] == "duplicate_exact"
    assert Counter(found.values())["kept"] == 6


def test_a_fingerprint_file_does_the_same_without_the_pictures(pictures: Path) -> None:
    prints = fingerprint_place(f"{pictures}/bench")
    write_fingerprints(prints.rows, f"{pictures}/bench.parquet")
    assert read_fingerprints(f"{pictures}/bench.parquet").equals(prints.rows)
    raw = (pictures / "bench.parquet").read_bytes()
    assert len(raw) < 20_000
    found = reasons(pictures, f"{pictures}/bench.parquet")
    assert [found[f"own.p{k}"].rpartition(":")[2] for k in range(4)] == ["exact", "exact", "flipped", "near"]


def test_an_annotation_file_holds_out_by_name(pictures: Path) -> None:
    images = [{"id": 1, "file_name": "p7.jpg", "width": 96, "height": 96}]
    (pictures / "test.json").write_text(
        json.dumps({"images": images, "annotations": [], "categories": [{"id": 1, "name": "x"}]})
    )
    found = reasons(pictures, f"{pictures}/test.json", format="coco")
    assert found["own.p7"] == "held_out:bench:name"
    assert sum(reason == "kept" for reason in found.values()) == 9


def test_a_georeferenced_benchmark_holds_out_its_ground(archive: Path) -> None:
    write_scene(archive / "bench/o.tif", optical(50)[:1], 500_000.0)
    overrides = [f"select.held_out=[{{name: bench, files: {archive}/bench}}]"]
    rows = run(load(str(archive / "build.yaml"), overrides)).lake.read("selection").to_pylist()
    by_scene = {(row["tile_id"].split("/")[0], row["reason"]) for row in rows if row["kind"] == "tile"}
    assert ("land.o0", "held_out:bench:ground") in by_scene
    assert ("sea.s0", "held_out:bench:ground") in by_scene
    assert not any(scene in {"land.o1", "sea.s1"} and reason.startswith("held_out") for scene, reason in by_scene)


def test_a_changed_benchmark_is_selected_against_again(pictures: Path) -> None:
    reasons(pictures, f"{pictures}/bench")
    save(pictures / "bench/f.png", picture(9))
    assert reasons(pictures, f"{pictures}/bench")["own.p9"] == "held_out:bench:exact"


def wide_picture(seed: int, side: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    ground = gaussian_filter(random.normal(size=(side, side)), 3)[..., None] + 0.1 * random.normal(size=(side, side, 3))
    pixels: np.ndarray = np.clip(128 + 500 * ground, 0, 255).astype(np.uint8)
    return pixels


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of two held-out pictures, one of them large, beside strangers: as they are, smaller, turned, encoded anew."""
    folder = tmp_path_factory.mktemp("crops")
    near, large = wide_picture(1, 500), wide_picture(2, 1400)
    save(folder / "bench/near.png", near)
    save(folder / "bench/large.png", large)
    save(folder / "own/plain.png", near[90:346, 120:376])
    save(folder / "own/turned.jpg", np.ascontiguousarray(np.rot90(near[:300, :300])), quality=90)
    save(folder / "own/small.png", np.asarray(Image.fromarray(near[40:440, 40:440]).resize((256, 256))))
    save(folder / "own/corner.png", large[1010:1266, 1070:1326])
    for k in range(6):
        save(folder / f"own/other{k}.png", wide_picture(10 + k, 256))
    return folder


@pytest.mark.parametrize("published", [False, True])
def test_crops_of_what_is_held_out_are_recognised(crops: Path, published: bool) -> None:
    known, own = fingerprint_place(f"{crops}/bench"), fingerprint_place(f"{crops}/own")
    train = f"{crops}/bench"
    if published:
        write_fingerprints(known.rows, train := f"{crops}/bench.parquet")
    assert compare_sets(train, f"{crops}/own").by_test == {"part": 4}
    assert own.rows.num_rows == 10


def test_fingerprints_of_an_earlier_version_are_read(pictures: Path) -> None:
    prints = fingerprint_place(f"{pictures}/bench")
    pq.write_table(prints.rows.drop_columns("parts"), pictures / "old.parquet")
    assert read_fingerprints(f"{pictures}/old.parquet")["parts"].null_count == prints.rows.num_rows
    assert reasons(pictures, f"{pictures}/old.parquet")["own.p0"] == "held_out:bench:exact"


def test_a_picture_that_cannot_be_read_is_not_skipped(pictures: Path) -> None:
    (pictures / "bench/broken.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"broken.png: this picture cannot be read"):
        fingerprint_place(f"{pictures}/bench")
    (pictures / "none").mkdir()
    with pytest.raises(UsageError, match="holds no picture"):
        fingerprint_place(f"{pictures}/none")


def test_all_orientations_are_found_and_empty_pictures_only_exactly() -> None:
    own = picture(5)
    own_print = fingerprint_picture(own)
    assert len(own_print["pixels_sha256"]) == len(own_print["signatures"]) == ORIENTATIONS
    assert len({apply_orientation(own, k).tobytes() for k in range(ORIENTATIONS)}) == ORIENTATIONS
    blank = np.full((96, 96, 3), 7, np.uint8)
    rows = [
        {"name": name, "picture_sha256": None, "footprint": None, **known}
        for name, known in {"own": own_print, "blank": fingerprint_picture(blank)}.items()
    ]
    prints = pa.Table.from_pylist(rows, schema=FINGERPRINTS)
    shown = [*(apply_orientation(own, k) for k in range(ORIENTATIONS)), blank, blank + 1]
    signs = np.array([signature(view) for view in shown], np.uint64).view(np.int64)
    tiles = pa.table(
        {
            "picture_sha256": pa.array([f"x{k}" for k in range(10)]),
            "pixels_sha256": [pixels_digest(view) for view in shown],
            "signature": signs,
            "footprint": pa.nulls(10, pa.list_(pa.float64())),
        }
    )
    assert match_fingerprints(tiles, prints, 6).to_pylist() == ["exact", *["flipped"] * 7, "exact", "kept"]


def test_a_sources_own_test_pictures_are_held_out_by_default_with_all_that_shows_the_same(pictures: Path) -> None:
    """p1 is of its source's test split; another source has a copy of it, which alone would be trained on."""
    images = [
        {"filename": f"p{k}.png", "split": "test" if k == 1 else "train", "sentences": [{"raw": f"picture {k}"}]}
        for k in range(10)
    ]
    (pictures / "captions.json").write_text(json.dumps({"images": images}))
    save(pictures / "other/copy.jpg", picture(1), quality=90)
    save(pictures / "other/free.jpg", picture(60), quality=90)
    built = yaml.safe_load((pictures / "build.yaml").read_text())
    own = built["sources"][0] | {"annotations": {"format": "captions", "files": f"{pictures}/captions.json"}}
    other = built["sources"][0] | {"name": "other", "scenes": {"files": f"{pictures}/other/*"}}
    built["sources"] = [own, other]
    (pictures / "build.yaml").write_text(yaml.safe_dump(built))
    found = {}
    for splits in ("{train: 1.0}", "{train: 0.9, test: 0.1}"):
        rows = run(load(str(pictures / "build.yaml"), [f"select.splits={splits}"])).lake.read("selection").to_pylist()
        found[splits] = {row["tile_id"].split("/")[0]: (row["reason"], row["split"]) for row in rows if row["kind"] == "tile"}
    assert found["{train: 1.0}"]["own.p1"] == ("held_out:source", None)
    assert found["{train: 1.0}"]["other.copy"] == ("duplicate_near", None)
    assert found["{train: 1.0}"]["other.free"] == ("kept", "train")
    assert found["{train: 0.9, test: 0.1}"]["own.p1"] == ("kept", "test")


@pytest.mark.parametrize("recipe", ["mmrs_1m", "rs_gpt4v"])
def test_what_the_recipes_sources_test_with_never_goes_to_the_largest_split(recipe: str) -> None:
    """By what each says that it tests with, how its annotations tell splits, and where these go."""
    built = load(f"{Path(__file__).parents[3]}/configs/{recipe}.yaml")
    tell_themselves = {"captions", "rsvqa", "dior_rsvg"}
    trained = splits_by_strength(built.select.splits)[0]
    for source in built.sources:
        for word in source.published.held_out:
            assert source.annotations is not None
            assert source.annotations.format in tell_themselves or word in source.annotations.splits, source.name
            assert built.select.source_splits[word] != trained
    assert sum(bool(source.published.held_out) for source in built.sources) >= 8
