"""The rules of duplicates: exact, near, canonical, reasons; whatever the order of rows; and on real pictures."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.deduplicate import MIN_CONTRAST, deduplicate, is_same_picture
from rsflow.curation.duplicates.pairs.candidates import Confirm, Flags
from rsflow.curation.duplicates.pictures.embeddings import TileEmbeddings
from rsflow.curation.duplicates.pictures.image_signature import (
    Picture,
    anchor_signatures,
    orientation_signatures,
    pixels_digest,
    signature,
    thumbnail,
)
from rsflow.curation.duplicates.pictures.orientations import apply_orientation

SCHEMA = pa.schema(
    [
        ("tile_id", pa.string()),
        ("sensor", pa.string()),
        ("picture_sha256", pa.string()),
        ("pixels_sha256", pa.string()),
        ("signature", pa.uint64()),
        ("footprint", pa.list_(pa.float64())),
        ("gsd_m", pa.float64()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("n_labels", pa.int64()),
        ("licence", pa.string()),
        ("was_canonical", pa.bool_()),
        ("signatures", pa.list_(pa.int64())),
    ]
)
LOCAL_RUNNER = [10.0, 50.0, 10.1, 50.0, 10.1, 50.1, 10.0, 50.1]
THERE = [11.0, 50.0, 11.1, 50.0, 11.1, 50.1, 11.0, 50.1]


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A tile that resembles no other, but for what is said."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    plain = {
        "tile_id": name,
        "sensor": "optical",
        "picture_sha256": "e" + digest,
        "pixels_sha256": "p" + digest,
        "signature": int(digest[:16], 16),
        "footprint": None,
        "gsd_m": 1.0,
        "height_px": 512,
        "width_px": 512,
        "n_labels": 0,
        "licence": "CC0-1.0",
        "was_canonical": False,
    }
    return plain | changes


def always(pairs: Indices) -> Flags:
    return np.ones(len(pairs), dtype=np.bool_)


def found(rows: list[dict[str, Any]], confirm: Confirm = always, bits: int = 6) -> dict[str, tuple[str, str, str | None]]:
    result = deduplicate(pa.Table.from_pylist(rows, schema=SCHEMA), bits, confirm).to_pylist()
    return {r["tile_id"]: (r["cluster"], r["canonical"], r["reason"]) for r in result}


def test_strangers_stay_alone() -> None:
    assert found([row("a"), row("b")]) == {"a": ("a", "a", None), "b": ("b", "b", None)}
    assert found([]) == {}


@pytest.mark.parametrize("column", ["picture_sha256", "pixels_sha256"])
def test_equal_digests_are_exact_whatever_the_ground_and_sensor(column: str) -> None:
    a = row("a", footprint=LOCAL_RUNNER)
    b = row("b", footprint=THERE, sensor="sar") | {column: a[column]}
    assert found([b, a]) == {"a": ("a", "a", None), "b": ("a", "a", "duplicate_exact")}


def test_missing_digests_and_signatures_equal_nothing() -> None:
    nothing = {"picture_sha256": None, "pixels_sha256": None, "signature": None}
    assert found([row("a", **nothing), row("b", **nothing)])["b"] == ("b", "b", None)


def test_near_needs_bits_confirmation_sensor_and_ground() -> None:
    a = row("a", signature=0b1111 << 40, footprint=LOCAL_RUNNER)
    near, far = 0b1010 << 40, 0b1111 << 10
    assert found([a, row("b", signature=near)])["b"] == ("a", "a", "duplicate_near")
    assert found([a, row("b", signature=near, footprint=LOCAL_RUNNER)])["b"] == ("a", "a", "duplicate_near")
    assert found([a, row("b", signature=near, footprint=THERE)])["b"] == ("b", "b", None)
    assert found([a, row("b", signature=near, sensor="infrared")])["b"] == ("b", "b", None)
    assert found([a, row("b", signature=far)])["b"] == ("b", "b", None)
    assert found([a, row("b", signature=near)], lambda pairs: ~always(pairs))["b"] == ("b", "b", None)


def test_a_picture_without_a_place_never_joins_different_ground() -> None:
    tiles = [
        row(f"g{k}", signature=1 << 40, footprint=[x + 20.0 * k if i % 2 == 0 else x for i, x in enumerate(LOCAL_RUNNER)])
        for k in range(9)
    ]
    plain = [row("p", signature=1 << 40), row("q", signature=1 << 40, n_labels=5)]
    alone, result = found(tiles), found([*plain, *tiles])
    assert {name: verdict[2] for name, verdict in alone.items()} == dict.fromkeys(alone)
    clusters = {result[tile["tile_id"]][0] for tile in tiles}
    assert len(clusters) == len(tiles)
    assert result["p"][0] == result["q"][0] in clusters


def test_tiles_of_one_scene_that_cover_each_other_are_one_and_chains_stay() -> None:
    def window(row_off: int, col_off: int, scene: str = "s") -> dict[str, Any]:
        return row(f"{scene}{row_off}_{col_off}", height_px=256, width_px=256) | {
            "scene_id": scene, "row_off": row_off, "col_off": col_off,
        }  # fmt: skip

    schema = pa.schema([*SCHEMA, ("scene_id", pa.string()), ("row_off", pa.int64()), ("col_off", pa.int64())])

    def reasons(rows: list[dict[str, Any]]) -> list[str | None]:
        reason: list[str | None] = deduplicate(pa.Table.from_pylist(rows, schema=schema), 0, always)["reason"].to_pylist()
        return reason

    chip = [window(r, c) for r in (0, 8) for c in (0, 8)]
    assert reasons(chip) == [None, "duplicate_ground", "duplicate_ground", "duplicate_ground"]
    assert reasons([window(0, 0), window(8, 8, "t")]) == [None, None]
    assert reasons([window(0, 0), window(0, 128)]) == [None, None]
    strip = [window(0, 32 * k) for k in range(9)]
    assert reasons(strip) == [None, "duplicate_ground"] * 4 + [None]


def test_canonical_rule_in_its_order() -> None:
    tiles = [
        row("a", signature=0, gsd_m=None, n_labels=9, licence="CC0-1.0"),
        row("b", signature=1, licence="CC-BY-NC-4.0", n_labels=5),
        row("c", signature=1, gsd_m=0.5, licence="CC-BY-NC-4.0", n_labels=5),
        row("d", signature=1, gsd_m=0.5, width_px=640, licence="CC-BY-NC-4.0", n_labels=5),
        row("e", signature=1, gsd_m=0.5, width_px=640, licence="CC-BY-4.0"),
        row("f", signature=1, gsd_m=0.5, width_px=640, licence="CC-BY-4.0", n_labels=3),
        row("g", signature=1, gsd_m=9.0, licence="secret", was_canonical=True),
    ]
    while len(tiles) > 1:
        best = tiles[-1]["tile_id"]
        result = found(tiles)
        assert {canonical for _, canonical, _ in result.values()} == {best}
        assert {cluster for cluster, _, _ in result.values()} == {"a"}
        assert result.pop(best)[2] is None
        assert {reason for _, _, reason in result.values()} == {"duplicate_near"}
        tiles.pop()
    assert found([row("b", signature=1), row("a", signature=1)])["b"][1] == "a"


def test_a_flipped_duplicate_has_its_own_reason_and_is_not_the_same_picture() -> None:
    random = np.random.default_rng(3)
    own = random.integers(0, 2**62, 8).tolist()
    flipped = [own[4], *random.integers(0, 2**62, 7).tolist()]
    tiles = [
        row("a", signature=own[0], signatures=own, n_labels=2),
        row("b", signature=own[0] ^ 1, signatures=[own[0] ^ 1, *own[1:]]),
        row("c", signature=flipped[0], signatures=flipped, n_labels=1),
        row("d", signature=flipped[0] ^ 1, signatures=[flipped[0] ^ 1, *flipped[1:]]),
    ]

    def confirm(pairs: Indices) -> Flags:
        across = (pairs[:, 0] < 2) != (pairs[:, 1] < 2)
        answers: Flags = np.where(across, pairs[:, 2] == 4, pairs[:, 2] == 0)
        return answers

    result = deduplicate(pa.Table.from_pylist(tiles, schema=SCHEMA), 4, confirm)
    assert set(result["canonical"].to_pylist()) == {"a"}
    assert result["reason"].to_pylist() == [None, "duplicate_near", "duplicate_flipped", "duplicate_flipped"]
    assert result["same_picture"].to_pylist() == [True, True, False, False]
    plain = deduplicate(pa.Table.from_pylist(tiles, schema=SCHEMA).drop_columns("signatures"), 4, confirm)
    assert plain["canonical"].to_pylist() == ["a", "a", "c", "c"]


def test_semantic_duplicates_join_what_stands_for_the_others() -> None:
    tiles = [row("a", signature=1), row("b", signature=1), row("c"), row("d"), row("e", sensor="sar")]
    vectors = np.array([[1, 0, 0], [0, 1, 0], [1, 0.1, 0], [0, 0, 1], [1, 0, 0]], dtype=np.float32)
    embedded = TileEmbeddings(np.arange(5), vectors, 0.95)
    result = deduplicate(pa.Table.from_pylist(tiles, schema=SCHEMA), 2, always, embedded=embedded)
    assert result["canonical"].to_pylist() == ["a", "a", "a", "d", "e"]
    assert result["reason"].to_pylist() == [None, "duplicate_near", "duplicate_semantic", None, None]
    assert result["same_picture"].to_pylist() == [True, True, False, True, True]


def test_exact_copy_of_a_near_duplicate_is_exact() -> None:
    a, b = row("a", n_labels=1, signature=7), row("b", signature=7)
    result = found([a, b, row("c", signature=7, pixels_sha256=b["pixels_sha256"])])
    assert result == {"a": ("a", "a", None), "b": ("a", "a", "duplicate_near"), "c": ("a", "a", "duplicate_exact")}


TILES = st.fixed_dictionaries(
    {
        "picture_sha256": st.sampled_from(["x", "y", "z", None]),
        "pixels_sha256": st.sampled_from(["x", "y", "z", "w", None]),
        "signature": st.sampled_from([0, 1, 3, 0xFF, 0xFFFF, None]),
        "footprint": st.sampled_from([None, LOCAL_RUNNER, THERE]),
        "n_labels": st.integers(0, 2),
        "gsd_m": st.sampled_from([None, 1.0, 2.0]),
        "sensor": st.sampled_from(["optical", "sar"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(st.lists(TILES, max_size=9), st.randoms(use_true_random=False))
def test_laws(changes: list[dict[str, Any]], random: Any) -> None:
    rows = [row(f"t{k}", **change) for k, change in enumerate(changes)]
    result = found(rows)
    shuffled = random.sample(rows, len(rows))
    assert found(shuffled) == result
    clusters: dict[str, set[str]] = {}
    for name, (cluster, _, _) in result.items():
        clusters.setdefault(cluster, set()).add(name)
    for smallest, members in clusters.items():
        assert smallest == min(members)
        canonical = {result[name][1] for name in members}
        assert len(canonical) == 1
        assert canonical <= members
        assert [name for name in members if result[name][2] is None] == list(canonical)
        places = {name: str(rows[int(name[1:])]["footprint"]) for name in members}
        near = [places[name] for name in members if result[name][2] != "duplicate_exact"]
        assert not {str(LOCAL_RUNNER), str(THERE)} <= set(near)
    # The place of a picture without one is known from its equals: once these are gone, so is what it kept apart.
    if any(r["footprint"] and result[r["tile_id"]][2] == "duplicate_exact" for r in rows):
        return
    kept = [r for r in rows if result[r["tile_id"]][2] is None]
    again = found(kept)
    assert all(reason != "duplicate_exact" for _, _, reason in again.values())
    assert again == {r["tile_id"]: (r["tile_id"], r["tile_id"], None) for r in kept}


def test_chunked_tables_are_as_whole_ones() -> None:
    table = pa.Table.from_pylist(
        [row(f"t{k}", signature=k, footprint=LOCAL_RUNNER if k % 2 else None) for k in range(6)], schema=SCHEMA
    )
    chunked = pa.concat_tables([table.slice(k, 1) for k in range(6)])
    assert deduplicate(chunked, 6, always).equals(deduplicate(table, 6, always))


def sea(seed: int, ship: tuple[int, int] | None = None, level: int = 12) -> Picture:
    picture = np.random.default_rng(seed).normal(level, 3, (512, 512)).clip(0, 255).astype(np.uint8)
    if ship:
        picture[ship[0] : ship[0] + 10, ship[1] : ship[1] + 30] = 230
    return picture


def compare(pictures: list[Picture], most: float = 3.0) -> Callable[[Indices], Flags]:
    thumbnails = np.stack([thumbnail(picture) for picture in pictures])
    return lambda pairs: is_same_picture(thumbnails, pairs, most)


def test_ships_in_different_places_are_different_pictures() -> None:
    pictures = [sea(0, (100, 100)), sea(1, (300, 350)), sea(2, (100, 100)), sea(3, level=20)]
    confirm = compare(pictures)
    assert confirm(np.array([[0, 1], [0, 2], [0, 3]])).tolist() == [False, True, False]
    assert abs(thumbnail(pictures[0]).astype(int) - thumbnail(pictures[1])).mean() < 3  # the mean alone would join them
    assert confirm(np.empty((0, 2), dtype=np.int64)).tolist() == []


def test_brightness_contrast_gamma_and_a_text_make_no_other_picture() -> None:
    random = np.random.default_rng(5)
    base = np.kron(random.integers(30, 200, (32, 32, 3)), np.ones((8, 8, 1)))
    other = np.kron(random.integers(30, 200, (32, 32, 3)), np.ones((8, 8, 1)))
    marked = base.copy()
    marked[240:248, 10:60] = 255
    changed = [base, base + 12, base * 1.2, 255 * (base / 255) ** 1.4, marked, other]
    confirm = compare([picture.clip(0, 255).astype(np.uint8) for picture in changed])
    answers = confirm(np.array([[0, k] for k in range(1, 6)])).tolist()
    assert answers == [True, True, True, True, False]


def test_two_flat_pictures_are_one_only_where_what_they_show_correlates() -> None:
    assert not compare([sea(0), sea(1)])(np.array([[0, 1]])).any()
    faint = np.kron(np.random.default_rng(1).normal(60, 2, (64, 64)), np.ones((4, 4)))
    pictures = [(faint + shift).clip(0, 255).astype(np.uint8) for shift in (0.0, 1.0)]
    assert compare(pictures)(np.array([[0, 1]])).all()


def test_alike_is_its_two_rules_in_plain_numpy() -> None:
    """Pairs of every degree of likeness, in every orientation, beside the rules in plain numpy."""
    random = np.random.default_rng(8)
    base = random.integers(20, 230, (6, 64, 64, 3)).astype(np.int16)
    noise = random.integers(-14, 15, (90, 64, 64, 3)) * random.uniform(0, 1, (90, 1, 1, 1))
    level = random.integers(-4, 5, (90, 1, 1, 1))
    views = [apply_orientation(base[k % 6], int(random.integers(0, 8))) for k in range(90)]
    thumbnails = (np.stack(views) + noise + level).clip(0, 255).astype(np.uint8)
    pairs = np.concatenate([random.integers(0, 90, (1000, 2)), random.integers(0, 8, (1000, 1))], axis=1)
    expected = []
    for one, other, way in pairs.tolist():
        differ = thumbnails[one].astype(int) - apply_orientation(thumbnails[other], way)
        a, b = thumbnails[one].sum(axis=2, dtype=float), apply_orientation(thumbnails[other], way).sum(axis=2, dtype=float)
        rich = min(a.std(), b.std()) > 9
        correlated = a.std() * b.std() > 0 and float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) > 0.9
        close = np.abs(differ).mean() <= 3 and np.abs(differ.sum(axis=2)).max() <= 54
        expected.append(bool((rich and correlated) or (close and (rich or correlated))))
    assert is_same_picture(thumbnails, pairs, 3.0).tolist() == expected
    assert 5 < sum(expected) < 500


def described(name: str, picture: Picture, file: Path | None = None, **changes: Any) -> dict[str, Any]:
    encoded = hashlib.sha256(file.read_bytes() if file else name.encode()).hexdigest()
    size = {"height_px": picture.shape[0], "width_px": picture.shape[1]}
    digests = {"picture_sha256": encoded, "pixels_sha256": pixels_digest(picture), "signature": signature(picture)}
    return row(name, **digests, **size, **changes)


def read(file: Path) -> Picture:
    return np.asarray(Image.open(file))


def test_reencoded_frames_are_found_and_nothing_else_is_joined(test_data: Path) -> None:
    originals = sorted((test_data / "infrared/hit_uav/JPEGImages").glob("*.jpg"))
    copies = sorted((test_data / "dedup/hit_uav_reencoded").glob("*.jpg"))
    files = [*originals, *copies]
    pictures = [read(file) for file in files]
    names = [f"{file.parent.name}/{file.name}" for file in files]
    rows = [described(*item, sensor="infrared") for item in zip(names, pictures, files, strict=True)]
    result = found(rows, compare(pictures))
    joined = {name: canonical for name, (_, canonical, reason) in result.items() if reason is not None}
    assert joined == {f"hit_uav_reencoded/{copy.name}": f"JPEGImages/{copy.name}" for copy in copies}
    assert len(joined) == 10
    assert {result[name][2] for name in joined} == {"duplicate_near"}


def test_copies_across_sets_are_exact(test_data: Path) -> None:
    files = sorted((test_data / "caption_vqa/ucm/images").glob("*.tif"))
    files += sorted((test_data / "scene_classification/UCMerced_LandUse").rglob("*.tif"))
    pictures = [read(file) for file in files]
    names = [str(file.relative_to(test_data)) for file in files]
    rows = [described(*item) for item in zip(names, pictures, files, strict=True)]
    joined = {name: canonical for name, (_, canonical, reason) in found(rows, compare(pictures)).items() if reason}
    copies = {name for name in names if name.startswith("scene_classification")}
    assert set(joined) == copies
    assert all(canonical.startswith("caption_vqa") for canonical in joined.values())


@pytest.mark.parametrize("folder", ["multidate/naip_m_4709963_se", "multidate/landsat_timelapse_amazon_river"])
def test_the_same_ground_at_another_date_is_no_duplicate(test_data: Path, folder: str) -> None:
    rasterio = pytest.importorskip("rasterio")
    rows, pictures = [], []
    for file in sorted((test_data / folder).glob("*.tif")):
        with rasterio.open(file) as scene:
            pixels = np.moveaxis(scene.read([1, 2, 3]), 0, -1)
        for top in range(0, pixels.shape[0] - 127, 128):
            for left in range(0, pixels.shape[1] - 127, 128):
                ground = [left / 1e3, top / 1e3, (left + 128) / 1e3, top / 1e3, left / 1e3, (top + 128) / 1e3]
                pictures.append(np.ascontiguousarray(pixels[top : top + 128, left : left + 128]))
                views = np.array(orientation_signatures(pictures[-1]), dtype=np.uint64).view(np.int64).tolist()
                rows.append(described(f"{file.stem}/{top}_{left}", pictures[-1], footprint=ground, signatures=views))
    assert len(rows) >= 40
    assert not [name for name, (_, _, reason) in found(rows, compare(pictures)).items() if reason]


def test_flipped_copies_of_real_pictures_are_all_found_and_nothing_else_is_joined(test_data: Path) -> None:
    """Each picture beside a copy of it, turned or mirrored and encoded as JPEG; 133 pictures of four sets."""
    files = [
        *sorted((test_data / "infrared/hit_uav/JPEGImages").glob("*.jpg")),
        *sorted((test_data / "caption_vqa/ucm/images").glob("*.tif")),
        *sorted((test_data / "scene_classification/EuroSAT_RGB").rglob("*.jpg")),
        *sorted((test_data / "detection/neon_trees/HARV").glob("*.tif")),
    ]
    files = [file for file in files if file.stem != "0_70_80_0_02023"]  # overlaps another frame of its flight by nine tenths
    rows, pictures = [], []
    for number, file in enumerate(files):
        original, stream = read(file), io.BytesIO()
        Image.fromarray(apply_orientation(original, 1 + number % 7)).save(stream, "JPEG", quality=85)
        for kind, picture in (("a", original), ("b", np.asarray(Image.open(stream)))):
            views = np.array(orientation_signatures(picture), dtype=np.uint64)
            changes = {"picture_sha256": None, "signatures": views.view(np.int64).tolist()}
            rows.append(described(f"{kind}{number:04d}", picture) | changes)
            pictures.append(picture)
    result = deduplicate(pa.Table.from_pylist(rows, schema=SCHEMA), 6, compare(pictures)).to_pylist()
    assert len(files) > 100
    apart = [row["tile_id"] for row in result if row["canonical"] != "a" + row["tile_id"][1:]]
    flat = {f"b{k:04d}" for k in range(len(files)) if thumbnail(pictures[2 * k]).mean(axis=2).std() < 1}
    assert set(apart) <= flat  # of one open sea encoding leaves nothing by which to know it again
    counts = Counter(row["reason"] for row in result)
    assert counts[None] == len(files) + len(apart)
    assert counts["duplicate_flipped"] >= len(files) - 3  # calm water looks the same upside down


@pytest.mark.parametrize("window", [(12, 244, 12, 244), (0, 256, 8, 264), (16, 272, 16, 272), (24, 280, 0, 256)])
def test_crops_and_shifts_are_found_by_their_windows_alone(window: tuple[int, int, int, int]) -> None:
    small = np.random.default_rng(3).integers(0, 256, (24, 24), dtype=np.uint8)
    scene = np.asarray(Image.fromarray(small).resize((288, 288), Image.Resampling.BICUBIC))
    top, bottom, left, right = window
    pictures = [np.repeat(part[:, :, None], 3, axis=2) for part in (scene[:256, :256], scene[top:bottom, left:right])]
    rows = [described(name, picture) for name, picture in zip("ab", pictures, strict=True)]
    tiles = pa.Table.from_pylist(rows, schema=SCHEMA)
    windows = np.array([anchor_signatures(picture) for picture in pictures], dtype=np.uint64).view(np.int64).tolist()
    reasons = [
        deduplicate(table, 4, compare(pictures))["reason"].to_pylist()
        for table in (
            tiles,
            tiles.append_column("anchors", pa.array(windows)),
            tiles.append_column("anchors", pa.nulls(2, pa.list_(pa.int64()))),
        )
    ]
    assert reasons == [[None, None], [None, "duplicate_near"], [None, None]]


def test_two_calm_seas_under_one_slope_of_light_are_two_pictures() -> None:
    """Chains of such would join any number of places; a copy, brighter by two levels, is still a copy."""
    random = np.random.default_rng(4)
    slope = np.linspace(-2.5, 2.5, 256)[:, None] + np.linspace(-2, 2, 256)[None]
    seas = [np.clip(80 + slope + random.normal(0, 6, (256, 256)), 0, 255).astype(np.uint8) for _ in range(6)]
    thumbnails = np.stack([thumbnail(sea) for sea in [*seas, *((sea + 2).astype(np.uint8) for sea in seas)]])
    assert max(thumb.std() for thumb in thumbnails) < MIN_CONTRAST
    pairs = np.array([(a, b) for a in range(6) for b in range(a + 1, 6)])
    assert not is_same_picture(thumbnails, pairs, 3.0).any()
    assert is_same_picture(thumbnails, np.stack([np.arange(6), np.arange(6, 12)], axis=1), 3.0).all()
