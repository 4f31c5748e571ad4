"""Duplicates of every kind on a real lake: encodings, flips, texts, forms of words, vectors, and choices that stay."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from PIL import Image

from rsflow.config.select_settings import Select
from rsflow.curation.duplicates.pictures.orientations import apply_orientation
from rsflow.errors import ConfigError, RsflowError
from rsflow.inspection.explain import explain, read_cluster_pictures
from rsflow.phases.build import BuildResult, run
from rsflow.phases.select.leakage import check_leaks
from rsflow.phases.select.select import read_selected_rows
from rsflow.phases.select.tile_embeddings import load_embeddings
from rsflow.planning.recipe import load
from rsflow.report.explain import explanation_text
from rsflow.schemas import EMBEDDINGS
from tests.archive import untold
from tests.phases.select.test_held_out import picture, save


def source(folder: Path, name: str, licence: str = "CC-BY-4.0", **more: Any) -> dict[str, Any]:
    scenes = {"files": f"{folder}/{name}/*"}
    return {"name": name, "sensor": "optical", "licence": licence, "scenes": scenes, "labellers": [{"name": "scene"}], **more}


def build(folder: Path, sources: list[dict[str, Any]], **select: Any) -> BuildResult:
    settings = {
        "root": str(folder / "lake"),
        "sources": sources,
        "engine": {"kind": "inline"},
        "render": {"format": "png"},
        "screen": {"min_contrast": 0.0, "min_sharpness": 0.0},
        "select": {"splits": {"train": 1.0}, **select},
    }
    (folder / "build.yaml").write_text(yaml.safe_dump(settings))
    return run(load(str(folder / "build.yaml")))


def reasons(outcome: BuildResult, kind: str = "tile") -> dict[str, str]:
    """By scene for tiles, by id for instructions."""
    rows = [row for row in outcome.lake.read("selection").to_pylist() if row["kind"] == kind]
    return {row["subject"].partition("/")[0] if kind == "tile" else row["subject"]: row["reason"] for row in rows}


def test_equal_pixels_match_in_any_lossless_encoding_and_a_new_jpeg_is_near(tmp_path: Path) -> None:
    for name, how in (("a.png", {}), ("b.tif", {}), ("c.bmp", {}), ("d.tiff", {"compression": "tiff_lzw"})):
        save(tmp_path / "one" / name, picture(1), **how)
    save(tmp_path / "one/e.jpg", picture(1), quality=95)
    decoded = np.asarray(Image.open(tmp_path / "one/e.jpg"))
    save(tmp_path / "one/f.png", decoded)
    save(tmp_path / "one/g.jpg", decoded, quality=85)
    found = reasons(build(tmp_path, [source(tmp_path, "one")]))
    exact = {name for name, reason in found.items() if reason == "duplicate_exact"}
    assert exact == {"one.b", "one.c", "one.d", "one.f"}
    assert {name for name, reason in found.items() if reason == "duplicate_near"} == {"one.e", "one.g"}
    assert found["one.a"] == "kept"


def test_flipped_copies_are_dropped_unless_up_is_up_and_their_instructions_stay_behind(tmp_path: Path) -> None:
    for seed in range(4):
        save(tmp_path / f"one/p{seed}.png", picture(seed))
        save(tmp_path / f"two/q{seed}.jpg", apply_orientation(picture(seed), 2 * seed + 1), quality=90)
    sources = [source(tmp_path, "one"), source(tmp_path, "two")]
    assert set(reasons(build(tmp_path, sources, flips=False)).values()) == {"kept"}
    outcome = build(tmp_path, sources)
    assert Counter(reasons(outcome).values()) == {"kept": 4, "duplicate_flipped": 4}
    told = reasons(outcome, "instruction")
    assert {why for name, why in told.items() if name.startswith("two")} <= {"tile:duplicate_flipped"}
    _, instructions = read_selected_rows(outcome.lake, outcome.now)
    assert all(row["instruction_id"].startswith(row["tile_id"]) for row in instructions.to_pylist())


def test_empty_pictures_of_two_splits_are_parted_on_ray_too_and_the_build_sees_who_is_put_back(
    tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd of one faint pattern in any shade: leaders answer for some in `deduplicate`, the splits for the rest."""
    for name, number in {"CROWD_SIZE": 8, "LEADER_ROUNDS": 2}.items():  # a round is a task of the cluster
        monkeypatch.setattr(f"rsflow.curation.duplicates.pairs.candidates.{name}", number)
    random = np.random.default_rng(3)
    levels, faint = random.integers(5, 245, 48), random.integers(-3, 4, (64, 64, 1))  # too fine for signatures, in all of them
    for k, level in enumerate(levels):
        save(tmp_path / f"one/p{k}.png", (level + faint + random.integers(0, 2, (64, 64, 3))).clip(0, 255).astype(np.uint8))
    splits = {"train": 0.5, "val": 0.2, "test": 0.3}
    here = build(tmp_path, [source(tmp_path, "one")], splits=splits)
    rows = {row["subject"]: row for row in here.lake.read("selection").to_pylist()}
    untold(tmp_path / "lake")
    there = run(load(str(tmp_path / "build.yaml"), ["engine={kind: ray, select: ray}"]), ["select"])
    assert {row["subject"]: row for row in there.lake.read("selection").to_pylist()} == rows
    pushed = {name for name, row in rows.items() if row["reason"] == "split_alike"}
    found = explain(here.lake.root, min(pushed))
    assert found.near[0]["split"] in {"val", "test"}
    assert found.near[0]["apart_grey"] <= Select().confirm_mae < found.near[-1]["apart_grey"]
    told = explanation_text(found.subject, found.tile, found.members, found.instructions, found.near)
    assert f"    {found.near[0]['tile_id']}: {found.near[0]['split']}, differs by " in told
    shown = read_cluster_pictures(here.lake.root, found, 2)
    assert [row["tile_id"] for row, _ in shown] == [min(pushed), found.near[0]["tile_id"]]
    tiles, _ = read_selected_rows(here.lake, here.now)
    every = here.now.tiles()
    back = every.filter(pc.is_in(every["tile_id"], pa.array(sorted(pushed)[:1])))
    back = back.append_column("split", pa.array(["train"])).append_column("repeat", pa.array([1]))
    with pytest.raises(RsflowError, match=r"(?s)the splits leak.*near duplicate: \d+ tiles, for example one.p"):
        check_leaks(here.lake, pa.concat_tables([tiles.drop_columns("group"), back]), Select())
    check_leaks(here.lake, tiles, Select())


def test_the_freer_licence_stands_unless_another_is_preferred(tmp_path: Path) -> None:
    save(tmp_path / "one/p.png", picture(1))
    save(tmp_path / "two/p.png", picture(1))
    sources = [source(tmp_path, "one", "CC-BY-NC-4.0"), source(tmp_path, "two", "CC0-1.0")]
    assert reasons(build(tmp_path, sources)) == {"one.p": "duplicate_exact", "two.p": "kept"}
    assert reasons(build(tmp_path, sources, licence_preference=["CC-BY-NC-4.0"]))["one.p"] == "kept"


def test_earlier_choices_stay_where_asked(tmp_path: Path) -> None:
    save(tmp_path / "one/p.png", picture(1))
    save(tmp_path / "one/q.jpg", picture(1), quality=80)
    old, new = source(tmp_path, "one", "CC-BY-NC-4.0"), source(tmp_path, "two", "CC0-1.0")
    assert reasons(build(tmp_path, [old], keep_choices=True))["one.p"] == "kept"
    save(tmp_path / "two/p.png", picture(1))
    save(tmp_path / "two/s.png", picture(2))
    kept = reasons(build(tmp_path, [old, new], keep_choices=True))
    assert kept == {"one.p": "kept", "one.q": "duplicate_near", "two.p": "duplicate_exact", "two.s": "kept"}
    assert reasons(build(tmp_path, [old, new]))["two.p"] == "kept"
    assert reasons(build(tmp_path, [old, new], keep_choices=True))["two.p"] == "kept"


CAPTIONS = [
    "Many planes are parked beside the long terminal building of this airport near a wide green field.",
    "many planes are parked  beside the long terminal building of this airport, near a wide green field",
    "Many planes are parked beside the long terminal building of this airport near a wide green meadow.",
    "There are some planes.",
]


def captioned(folder: Path, captions: list[str]) -> dict[str, Any]:
    save(folder / "one/p.png", picture(1))
    images = [{"filename": "p.png", "split": "train", "sentences": [{"raw": text} for text in captions]}]
    (folder / "captions.json").write_text(json.dumps({"images": images}))
    annotations = {"format": "captions", "files": f"{folder}/captions.json"}
    return source(folder, "one", annotations=annotations, labellers=[])


def answers(outcome: BuildResult) -> list[str]:
    return sorted(row["turns"][-1]["text"] for row in read_selected_rows(outcome.lake, outcome.now)[1].to_pylist())


def test_one_of_the_captions_that_say_the_same_stays(tmp_path: Path) -> None:
    own = captioned(tmp_path, CAPTIONS)
    every = answers(build(tmp_path, [own], same_text=None))
    equal = answers(build(tmp_path, [own], same_text=1.0))
    near = answers(build(tmp_path, [own], same_text=0.6))
    assert set(near) < set(equal) < set(every)


def test_a_form_of_words_that_floods_is_thinned_to_its_share(tmp_path: Path) -> None:
    """As many classes as pictures, several of which are asked about in one form of words."""
    for seed in range(24):
        save(tmp_path / f"one/class{seed}/p{seed}.png", picture(seed))
    own = source(tmp_path, "one", annotations={"format": "folders", "files": f"{tmp_path}/one/*/*"}, labellers=[])
    own["scenes"] = {"files": f"{tmp_path}/one/*/*"}

    def kept(share: float | None) -> set[str]:
        told = reasons(build(tmp_path, [own], max_template_share=share), "instruction")
        assert set(told.values()) <= {"kept", "template"}
        return {name for name, why in told.items() if why == "kept"}

    whole, wide, thin = kept(None), kept(0.13), kept(0.05)
    assert len(whole) == 24
    assert thin < wide < whole
    rows = run(load(str(tmp_path / "build.yaml"))).lake.read("instructions").to_pylist()
    turns = {row["instruction_id"]: row["turns"] for row in rows}
    for names, share in ((wide, 0.13), (thin, 0.05)):
        most = max(1, int(len(names) * share))  # of those that stay
        assert Counter(turns[name][0]["text"] for name in names).most_common(1)[0][1] == most


def test_vectors_of_the_named_labeller_join_pictures(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / f"one/p{seed}.png", picture(seed))
    outcome = build(tmp_path, [source(tmp_path, "one")])
    tiles, now = outcome.now.tiles(["tile_id"]), outcome.now
    rows = [
        {"tile_id": tile, "labeller": "dino-0a", "vector": vector, "receipt": "r1"}
        for tile, vector in zip(reversed(tiles["tile_id"].to_pylist()), ([0.0, 1.0], [1.0, 0.0], [2.0, 0.5]), strict=True)
    ]
    rows.append({"tile_id": tiles["tile_id"][0].as_py(), "labeller": "clip-0b", "vector": [1.0], "receipt": "r1"})
    outcome.lake.append("embeddings", pa.Table.from_pylist(rows, schema=EMBEDDINGS))
    mark = now.label.slice(0, 1).set_column(now.label.schema.get_field_index("receipt"), "receipt", pa.array(["r1"]))
    now = dataclasses.replace(now, marks={**now.marks, "predict": mark})
    settings = load(str(tmp_path / "build.yaml"), ["select.semantic={labeller: dino, cosine: 0.9}"]).select
    found = load_embeddings(now, tiles, settings)
    assert found is not None
    assert dict(zip(found.rows.tolist(), found.vectors.tolist(), strict=True)) == {0: [2, 0.5], 1: [1, 0], 2: [0, 1]}
    assert load_embeddings(now, tiles, dataclasses.replace(settings, semantic=None)) is None
    settings = load(str(tmp_path / "build.yaml"), ["select.semantic={labeller: nobody}"]).select
    with pytest.raises(ConfigError, match="no labeller 'nobody' has made a vector"):
        load_embeddings(now, tiles, settings)
    assert pc.sum(pc.equal(outcome.lake.read("embeddings")["labeller"], "dino-0a")).as_py() == 3
