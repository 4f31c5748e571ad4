"""An instruction set read back: what was said of a picture before it was exported is said of it again."""

from __future__ import annotations

import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rsflow import annotations, dialects
from rsflow.audit import audit
from rsflow.cli import main
from rsflow.config.settings import Annotations
from rsflow.errors import DataError, UsageError
from rsflow.imports.conversation import Exchange, parse_conversation
from rsflow.imports.import_set import import_set
from rsflow.imports.label_parsing import match_phrasing, parse_labels
from rsflow.imports.picture_sensors import guess_sensor
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.planning.recipe import load
from rsflow.readers import list_scenes
from rsflow.readers.listing.scene_listing import pattern_folders
from rsflow.records import Label, Provenance
from rsflow.spatial.polygons import parts_area
from rsflow.text.turns import mark

FROM = Provenance("annotation", "t")
SIZE = (500, 1000)  # rows, columns
BOX = (100.0, 50.0, 300.0, 150.0)


def said(question: str, answer: str, form: str = "mmrs") -> list[Label]:
    return list(parse_labels(Exchange(question, answer), dialects.get_dialect(form), SIZE, FROM))


def test_the_seeds_wordings_are_recognised() -> None:
    assert match_phrasing("What is the category of this remote sensing image?")[0] == "classification"
    assert (
        match_phrasing("Please provide a one-sentence caption for the provided remote sensing image in details.")[0]
        == "captioning"
    )
    assert match_phrasing("Please detect all objects in this image.")[0] == "detection_all"
    asked = "Detect large vehicles shown in the image using horizontal bounding boxes."
    assert match_phrasing(asked) == ("detection_one", {"many": "large vehicles"})
    asked = "Please provide the horizontal bounding box coordinate of the region which is described as:{}in this remote sensing"
    for phrase in ("A tiny ship ", " A tiny ship"):  # sets are spelled with more and fewer blanks
        assert match_phrasing(f"{asked.format(phrase)} image")[1] == {"phrase": "A tiny ship"}
    assert match_phrasing("How many ships are there?") == ("", {})


@pytest.mark.parametrize(
    "kind", ["classification", "captioning", "grounding", "region_captioning", "detection_one", "detection_all"]
)
def test_every_phrasing_of_ours_is_recognised(kind: str) -> None:
    for phrasing in PHRASINGS[kind]:
        asked = phrasing.format(phrase="the red ship", box=mark("", 0), many="ships", one_bare="ship", one="a ship")
        assert match_phrasing(asked.removesuffix(" Answer the question using a single word or phrase."))[0] == kind


def test_the_padded_square_is_undone_with_the_true_size() -> None:
    # The worked example of the EarthGPT paper's rule: w = 1000, h = 500, COCO box (100, 50, 200, 100).
    (label,) = said(
        "Please provide the horizontal bounding box coordinate of the region which is described as:A grey ship in this remote "
        "sensing image",
        "[0.10,0.30,0.30,0.40]",
    )
    assert (label.kind, label.text, label.category) == ("phrase", "A grey ship", "ship")
    assert label.shape is not None
    assert label.shape.box == pytest.approx(BOX)


def test_every_task_comes_back() -> None:
    (label,) = said(
        "What is the category of this remote sensing image? Answer the question using a single word or phrase.", "Stadium."
    )
    assert (label.kind, label.category) == ("category", "Stadium")
    (label,) = said("How many ships? Answer the question using a single word or phrase.", "4")
    assert (label.kind, label.text, label.category) == ("question", "How many ships?", "4")
    region = "Please provide a short description for this region in this remote sensing image :[0.10,0.30,0.30,0.40]"
    (label,) = said(region, "The tiny vehicle")
    assert (label.kind, label.text) == ("phrase", "The tiny vehicle")
    found = said(
        "Please detect all objects in this image.",
        "There are <p>2 buses</p>[0.10,0.30,0.30,0.40;0.5,0.5,0.6,0.6]. There is <p>1 car</p>[0.7,0.4,0.8,0.5]",
    )
    assert [label.category for label in found] == ["bus", "bus", "car"]
    assert said("Detect planes shown in the image using horizontal bounding boxes.", "There are no planes in the image.") == []


@pytest.mark.parametrize("form", ["llava", "qwen", "geochat", "internvl"])
def test_forms_without_a_phrase_give_their_categories_too(form: str) -> None:
    answer = dialects.get_dialect(form).spell(f"There are {mark('2 ships', 0, 1)}", [BOX, (400, 100, 600, 300)], *SIZE)
    found = said("Please detect all objects in this image.", answer, form)
    assert [label.category for label in found] == ["ship", "ship"]


def test_an_oriented_box_over_the_edge_is_cut_exactly() -> None:
    # A diamond of centre (500, 0): its upper half lies in the padding above the picture of 1000 x 500 pixels.
    region = "Please provide a short description for this region in this remote sensing image :"
    (label,) = said(region + "[0.50,0.15,0.60,0.25,0.50,0.35,0.40,0.25]", "The ship")
    assert label.shape is not None
    assert (label.shape.box, label.shape.oriented) == (pytest.approx((400, 0, 600, 100)), False)
    assert parts_area(label.shape.area_parts) == pytest.approx(200 * 100 / 2)
    with pytest.raises(DataError, match="crossed_corners"):
        said(region + "[0.40,0.40,0.60,0.60,0.60,0.40,0.40,0.60]", "The ship")
    with pytest.raises(DataError, match="box_outside"):
        said(region + "[0.40,0.05,0.60,0.10]", "The ship")


def test_a_place_that_is_not_understood_is_refused() -> None:
    with pytest.raises(DataError, match="boxes_in_text"):
        said("What colour is the thing at [0.10,0.30,0.30,0.40]?", "Red.")


@pytest.mark.parametrize(
    ("path", "sensor"),
    [
        ("Det/SSDD/0001.jpg", "sar"),
        ("hrsid/P0001.png", "sar"),
        ("AIR-SARShip-2.0/1.tiff", "sar"),
        ("HIT-UAV/0_60.jpg", "infrared"),
        ("infrared_security/1.jpg", "infrared"),
        ("cars/sparrow.jpg", None),
        ("caesar/first.jpg", None),
        ("images/0001.png", None),
        ("optical_and_sar/0001.png", None),
        ("DOTA/P0001.png", "optical"),
        ("VisDrone/rgb/1.jpg", "optical"),
    ],
)
def test_the_sensor_is_guessed_from_the_path(path: str, sensor: str | None) -> None:
    assert guess_sensor(path) == sensor


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"image": "a.jpg"},
        {"image": "a.jpg", "conversations": [{"from": "human", "value": "Hi"}]},
        {"image": "a.jpg", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": " "}]},
        {"image": "a.jpg", "conversations": [{"from": "ghost", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
        {"image": 7, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
    ],
)
def test_a_record_that_is_none_is_refused(record: Any) -> None:
    with pytest.raises(DataError, match="broken_record"):
        parse_conversation(record)


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]


@pytest.fixture
def mmrs(tmp_path: Path) -> Path:
    """Pictures of two sensors, a record of each task, and records that cannot be used."""
    for name in ("optical/a.png", "optical/b.png", "SSDD/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (1000, 500), (9, 99, 9)).save(tmp_path / name)
    detect = "Please detect all objects in this image."
    rows = [
        {"image": "optical/a.png", "conversations": turns(detect, "There is <p>1 ship</p>[0.10,0.30,0.30,0.40]")},
        {
            "image": "optical/a.png",
            "conversations": turns("Is it day? Answer the question using a single word or phrase.", "yes"),
        },
        {
            "image": "optical/b.png",
            "conversations": turns("Is it day? Answer the question using a single word or phrase.", "no"),
        },
        {
            "image": "SSDD/c.png",
            "conversations": turns(detect, "There are <p>2 ships</p>[0.10,0.30,0.30,0.40;0.5,0.5,0.6,0.6]"),
        },
        {"image": "gone.png", "conversations": turns("What?", "No.")},
        {"image": "optical/a.png", "conversations": turns("What is at [0.10,0.30,0.30,0.40]?", "A ship.")},
    ]
    (tmp_path / "set.json").write_text(json.dumps(rows))
    return tmp_path


def test_a_set_becomes_sources_that_load(mmrs: Path) -> None:
    made = import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"))
    assert dict(made.rejects) == {"missing_picture": 1, "boxes_in_text": 1}
    assert dict(made.labels) == {("optical", "box"): 1, ("optical", "question"): 2, ("sar", "box"): 2}
    built = load(made.config)
    assert [(source.name, source.sensor) for source in built.sources] == [
        ("set_SSDD_sar", "sar"),
        ("set_optical_optical", "optical"),
    ]
    assert {source.licence for source in built.sources} == {"unknown"}
    source = built.sources[1]
    read = annotations.read_annotations(source.annotations or Annotations("", ""), pattern_folders(source.scenes))
    assert not read.rejects
    by_name = {Path(name).name: picture for name, picture in read.pictures.items()}
    assert {label.kind for label in by_name["a"].labels} == {"box", "question"}
    # Of a picture that nobody listed all objects of, nothing is said to be absent.
    assert (by_name["a"].complete, by_name["b"].complete) == (True, False)
    assert [label.shape.box for label in by_name["a"].labels if label.shape] == [pytest.approx(BOX)]


def test_the_import_is_the_same_at_every_run(mmrs: Path) -> None:
    for name in ("one", "other"):
        import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / name))
    for file in sorted((mmrs / "one").iterdir()):
        other = (mmrs / "other" / file.name).read_text()
        assert file.read_text() == other.replace("/other/", "/one/")


def test_what_was_asked_for_overrides_what_is_guessed(mmrs: Path) -> None:
    made = import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"), sensor="infrared", licence="MIT")
    assert {(source.sensor, source.licence) for source in load(made.config).sources} == {("infrared", "MIT")}


def test_a_sensor_that_nothing_tells_is_asked_for(mmrs: Path) -> None:
    record = {"image": "a.png", "conversations": turns("Is it day?", "yes")}
    Image.new("RGB", (50, 50)).save(mmrs / "a.png")
    (mmrs / "set.json").write_text(json.dumps([record]))
    with pytest.raises(UsageError, match=r"1 sensor_unknown.*say --sensor"):
        import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"))
    assert import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"), sensor="sar").labels == {("sar", "question"): 1}
    (mmrs / "set.json").write_text(json.dumps([{**record, "sensor": "SAR"}, {**record, "sensor": "lidar"}]))
    made = import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"))
    assert (made.labels, made.rejects) == ({("sar", "question"): 1}, {"sensor_unknown": 1})
    (mmrs / "set.json").write_text(json.dumps([record]))
    (mmrs / "pictures.jsonl").write_text(json.dumps({"image": "a.png", "sensor": "infrared"}))
    assert import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out")).labels == {("infrared", "question"): 1}


@pytest.mark.parametrize("phrasing", PHRASINGS["question"])
def test_hints_are_taken_off_however_often_they_were_put_on(phrasing: str) -> None:
    for outer in PHRASINGS["question"]:
        asked = outer.replace("{question}", phrasing.replace("{question}", "Is it day?"))
        (label,) = said(asked, "Yes")
        assert (label.kind, label.text, label.category) == ("question", "Is it day?", "Yes")
    assert said("Answer the question?", "No")[0].text == "Answer the question?"


def test_a_set_of_which_nothing_fits_is_an_error(mmrs: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing could be used.*missing_picture"):
        import_set(str(mmrs / "set.json"), "mmrs", str(mmrs / "out"), pictures=str(mmrs / "nowhere"))
    with pytest.raises(UsageError, match="known formats"):
        import_set(str(mmrs / "set.json"), "alpaca", str(mmrs / "out"))


def test_the_command_tells_what_it_made(mmrs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(mmrs / "set.json"), "--format", "mmrs", "-o", str(mmrs / "out")]) == 0
    out = capsys.readouterr().out
    assert "6 records" in out
    assert "1 boxes_in_text, 1 missing_picture" in out
    assert "rsflow build" in out


@pytest.mark.parametrize("name", ["é.png", "a b [1].png", "x%20y.png", "B.PNG", "deep/é.png", "x::y.png"])
def test_names_of_every_spelling_find_their_pictures(tmp_path: Path, name: str) -> None:
    place = tmp_path / "p" / unicodedata.normalize("NFD", name)
    place.parent.mkdir(parents=True)
    Image.new("RGB", (100, 50)).save(place, format="PNG")
    spelled = unicodedata.normalize("NFC", name).replace("B.PNG", "B.png")
    (tmp_path / "set.json").write_text(json.dumps([{"image": f"data/{spelled}", "conversations": turns("Is it day?", "yes")}]))
    made = import_set(str(tmp_path / "set.json"), "llava", str(tmp_path / "out"), str(tmp_path / "p"), sensor="optical")
    assert (made.rejects, made.labels) == ({}, {("optical", "question"): 1})
    (source,) = load(made.config).sources
    assert [Path(one.files[""]).name for one in list_scenes(source)] == [place.name]


def test_a_list_that_could_not_be_read_is_not_complete(tmp_path: Path) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    texts = ("Please detect all objects in this image.", "There are <p>2 ships</p>[0.1,0.2,0.3,0.4;0.5,0.2,0.5,0.4]")
    (tmp_path / "set.json").write_text(json.dumps([{"image": "a.png", "conversations": turns(*texts, "Is it day?", "yes")}]))
    made = import_set(str(tmp_path / "set.json"), "mmrs", str(tmp_path / "out"), sensor="optical")
    assert made.rejects == {"box_empty": 1}
    (file,) = (tmp_path / "out").glob("set*.jsonl")
    assert [json.loads(line)["complete"] for line in file.read_text().splitlines()] == [False]


def test_sizes_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    Image.new("RGB", (100, 50)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "set.json").write_text(json.dumps([{"image": "a.jpg", "conversations": turns("Is it day?", "yes")}]))
    made = import_set(str(tmp_path / "set.json"), "llava", str(tmp_path / "out"), sensor="optical")
    (line,) = (tmp_path / "out" / "set_optical.jsonl").read_text().splitlines()
    assert (json.loads(line)["height_px"], json.loads(line)["width_px"], made.rejects) == (100, 50, {})
    sized = [{"image": "a.jpg", "height": 100, "width": 50, "conversations": turns("Is it day?", "yes")}]
    (tmp_path / "set.json").write_text(json.dumps(sized))
    assert audit(str(tmp_path / "set.json"), "llava", str(tmp_path)).counts == {}


def test_turns_in_parts_are_read(tmp_path: Path) -> None:
    parts = [{"type": "image"}, {"type": "text", "text": "Is it day?"}]
    messages = [{"role": "user", "content": parts}, {"role": "assistant", "content": [{"type": "text", "text": "yes"}]}]
    (exchange,) = parse_conversation({"images": ["a.png"], "messages": messages}).exchanges
    assert exchange == Exchange("Is it day?", "yes")


def test_pictures_in_a_parquet_file_are_written_for_the_build(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<image>\nDescribe the image."}, {"from": "gpt", "value": "A harbour with two piers."}]
    cells = []
    for grey in (10, 90, 90):
        stream = io.BytesIO()
        Image.new("RGB", (40, 30), (grey, grey, grey)).save(stream, "PNG")
        cells.append({"bytes": stream.getvalue(), "path": "a.png"})
    cells.append({"bytes": b"no picture", "path": "a.png"})
    rows = [{"conversations": turns, "image": cell, "sensor": "optical"} for cell in cells]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "set.parquet")
    made = import_set(str(tmp_path / "set.parquet"), "llava", str(tmp_path / "out"))
    assert (made.labels, made.rejects) == ({("optical", "question"): 3}, {"unreadable_picture": 1})
    scenes = list_scenes(load(made.config, []).sources[0])
    assert len(scenes) == len(list((tmp_path / "out/pictures").iterdir())) == 2
    (source,) = load(made.config, []).sources
    assert isinstance(source.annotations, Annotations)
    found = annotations.read_annotations(source.annotations)
    assert {picture.file for picture in found.pictures.values()} == {
        place for scene in scenes for place in scene.files.values()
    }
