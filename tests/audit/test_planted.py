"""Planted faults by kind: each is one small change of a clean set, found by its name, and the clean sets have no fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rsflow.audit import audit

BOXES = {
    "llava": "[0.1, 0.2, 0.3, 0.4]",
    "mmrs": "[0.10,0.20,0.30,0.40]",
    "pixels": "[10, 20, 30, 40]",
    "geochat": "{<10><20><30><40>|<57>}",
    "qwen": '{"bbox_2d": [10, 20, 30, 40], "label": "ship"}',
    "qwen2": "<|box_start|>(100,200),(300,400)<|box_end|>",
    "internvl": "<ref>ship</ref><box>[[100, 200, 300, 400]]</box>",
}


def record(*texts: str, **more: Any) -> dict[str, Any]:
    turns = [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]
    return {"image": "a.png", "conversations": turns, **more}


def clean(form: str) -> list[dict[str, Any]]:
    """Ordinary text that looks like faults: signs, short lists, repeated words, accents, an apology that is none."""
    said = [
        f"The ship is at {BOXES[form]}.",
        "Gaps of <25 m, a < b > c; see [1, 2] and x & y.",
        "A very, very long quay: São Paulo, 5 °C, Çeşme, naïve – “quoted”.",
        "Houses, houses, houses and a park. It is sorry to look at.",
        "It cannot be told from one picture.",
        "I cannot see any ships here. Bands [4, 3, 2] of [2019, 2020, 2021]."[: 29 if form == "pixels" else None],
        "There are 12 of 20 ships; 3 storeys high, one at the quay.",
    ]
    rows = [record("<image>\nWhat is seen here?", text, id=f"r{i}") for i, text in enumerate(said)]
    return [*rows, record("<image>\n" + CLASS, "stadium"), record("How many ships are there?", "2", "Is there a ship?", "Yes")]


REFUSALS = (
    "I'm sorry, but I can't see it.",
    "As an AI language model, I do not know.",
    "I cannot assist with that request.",
    "No image was provided.",
    "Please upload the image first.",
    "I don’t have access to pictures.",
    "I am unable to view this.",
    "Unfortunately, I cannot determine that without seeing the image.",
    "I can't tell what it is without access to the picture.",
)
ENCODINGS = (
    "SÃ£o Paulo",
    "itâ€™s a port",
    "5 Â°C of water",
    "a \ufffd port",
    "caf\\u00e9 by the sea",
    "ships &amp; quays",
    "ï»¿a port",
    "Ð¿Ð¾Ñ€Ñ‚ with ships",
    "æ¸¯ with ships",
    "Î»Î¹Î¼Î¬Î½Î¹ at night",
    "Ð¿Ð¾ÑÑ of ships",
)
TOKENS = (
    *(
        "<|im_end|>",
        "<|im_start|>user",
        "<|eot_id|>",
        "<|end|>",
        "<|endoftext|>",
        "</s>",
        "<s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
    ),
    *("<end_of_turn>", "<start_of_turn>", "<end_of_utterance>", "<IMG_CONTEXT>", "<img>", "[IMG]", "<bos>", "<|anything|>"),
    *("\0", "\ud83d", "\x1b[0m", "\u202e", "\u2066", "\u200f"),
)
LOOPS = (
    "The road is long. It is grey. " * 4,
    "ship ship ship ship ship",
    "a port near " * 5 + "quay",
    "There is a road here. " * 5,
    "the the the the the end",
)
NOT_BOXES = (
    "[0.1, 0.2, 0.3]",
    "[0.1, 0.2, 0.3, 0.4, 0.5]",
    "[0.1, nan, 0.3, 0.4]",
    "[0.1, 0.2, inf, 0.4]",
    "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]",
)
ANGLED = ("{<10><20><30>|<5>}", "{<10><20><30><40><50>|<5>}", "{<nan><20><30><40>|<5>}", "{<10><20><30><>|<5>}")

BROKEN: tuple[Any, ...] = (
    7,
    None,
    [],
    "text",
    {},
    {"image": "a.png"},
    {"image": "a.png", "conversations": []},
    {"image": "a.png", "conversations": "text"},
    {"image": 7, "conversations": record("a", "b")["conversations"]},
    record("Only asked?"),
    record("Asked?", " "),
    {"image": "a.png", "conversations": [{"from": "ghost", "value": "a"}, {"from": "gpt", "value": "b"}]},
    {"image": "a.png", "conversations": [{"from": "human", "value": 7}, {"from": "gpt", "value": "b"}]},
    {"image": "a.png", "conversations": [{"from": "gpt", "value": "a"}, {"from": "human", "value": "b"}]},
)
OUTSIDE = (
    "../a.png",
    "/etc/passwd",
    "file:///etc/a.png",
    "https://x.org/a.png",
    "/vsizip/x.zip/a.png",
    "s3://b/a.png",
    "..\\a.png",
)

CLASS = "What is the category of this remote sensing image?"
MISCOUNTED = (
    "There are three ships: [0.1, 0.2, 0.3, 0.4] and [0.5, 0.6, 0.7, 0.8].",
    "I can see 2 large ships at [0.1, 0.2, 0.3, 0.4].",
    "There are no ships [0.1, 0.2, 0.3, 0.4].",
    "There is 1 ship [0.1, 0.2, 0.3, 0.4; 0.5, 0.6, 0.7, 0.8].",
    "There are 2 ships in the image. They are located at [0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.1, 0.6, 0.2, 0.8].",
    "There is 1 car [0.1, 0.2, 0.3, 0.4] and two people [0.5, 0.6, 0.7, 0.8].",
)
WRONG_KINDS = (("How many ships are there in this image?", "Yes."), ("Is there a ship in the image?", "4"))
DISAGREEING = (
    ("<image>\nHow many cars are there in this image?", "0", "Is there a car in this image?", "Yes"),
    ("<image>\nIs there any car?", "No.", "How many cars are there?", "three"),
    (
        "<image>\nHow many cars are in the image?",
        "2",
        "Detect cars shown in the image using horizontal bounding boxes.",
        "There is 1 car [0.1, 0.2, 0.3, 0.4].",
    ),
)
NEARLY = (
    "it CANNOT be told from one picture",
    "It cannot  be told from the one picture!",
    "It cannot be told, from one picture.",
)

PLANTED: list[tuple[str, str, Any]] = [
    *(("refusal", "llava", record("<image>\nWhat?", text)) for text in REFUSALS),
    *(("mojibake", "llava", record("<image>\nWhat?", text)) for text in ENCODINGS),
    *(("control_token", "llava", record("<image>\nWhat?", f"A port {token} by the sea.")) for token in TOKENS),
    *(("control_token", form, record("<image>\nIs <|im_end|> here?", "Unclear.")) for form in BOXES),
    *(("loop", "llava", record("<image>\nWhat?", text)) for text in LOOPS),
    *(("box_not_a_box", "llava", record("<image>\nWhere?", f"At {box}.")) for box in NOT_BOXES),
    *(("box_not_a_box", "geochat", record("<image>\nWhere?", f"At {box}.")) for box in ANGLED),
    *(("broken_record", "llava", one) for one in BROKEN),
    *(("path_outside", "llava", {**record("<image>\nWhat?", "A bay."), "image": name}) for name in OUTSIDE),
    *(
        ("count_differs", form, record("<image>\nWhere?", f"There are 3 ships {box.removeprefix('<ref>ship</ref>')}."))
        for form, box in BOXES.items()
    ),
    *(("count_differs", "llava", record("<image>\nWhere?", text)) for text in MISCOUNTED),
    *(("answer_of_other_kind", "llava", record("<image>\n" + asked, answer)) for asked, answer in WRONG_KINDS),
    *(("amounts_differ", "llava", record(*texts)) for texts in DISAGREEING),
    *(("near_repeated_text", "llava", record("<image>\nWhat is seen here?", text)) for text in NEARLY),
    *(
        ("category_spelling", "llava", {**record("<image>\n" + CLASS, text), "image": "b.png"})
        for text in ("STADIUM", "stadiums", "Stadium")
    ),
    *(
        ("category_spelling", "qwen", record("<image>\nWhere?", BOXES["qwen"].replace("ship", text)))
        for text in ("Ship", "ships")
    ),
    ("picture_tokens", "llava", record("<image>\n<image>\nWhat?", "A bay.")),
    ("picture_tokens", "llava", record("<image>\nWhat?", "A bay <image>.")),
    ("picture_tokens", "llava", {"conversations": record("<image>\nWhat?", "A bay.")["conversations"]}),
    ("repeated_id", "llava", record("<image>\nWhat?", "A bay.", id="r1")),
    ("value_out_of_range", "llava", record("<image>\nWhere?", "At [0.1, 0.2, 1.3, 0.4].")),
    ("value_out_of_range", "llava", record("<image>\nWhere?", "At [-0.1, 0.2, 0.3, 0.4].")),
    ("box_empty", "llava", record("<image>\nWhere?", "At [0.3, 0.2, 0.1, 0.4].")),
    ("angle_out_of_range", "geochat", record("<image>\nWhere?", "At {<10><20><30><40>|<402>}.")),
    ("missing_picture", "llava", {**record("<image>\nWhat?", "A bay."), "image": "none.png"}),
    ("wrong_size", "llava", record("<image>\nWhat?", "A bay.", width=50, height=60)),
]


def found(folder: Path, rows: list[Any], form: str) -> dict[str, int]:
    Image.new("RGB", (100, 100), (9, 99, 9)).save(folder / "a.png")
    (folder / "set.json").write_text(json.dumps(rows))
    return audit(str(folder / "set.json"), form, str(folder)).counts


@pytest.mark.parametrize("form", BOXES)
def test_a_clean_set_has_no_fault(tmp_path: Path, form: str) -> None:
    assert found(tmp_path, clean(form), form) == {}


def test_there_are_many_kinds() -> None:
    assert len(PLANTED) >= 84


@pytest.mark.parametrize(("fault", "form", "planted"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_fault_is_found_by_its_name(tmp_path: Path, fault: str, form: str, planted: Any) -> None:
    counts = found(tmp_path, [*clean(form), planted], form)
    assert counts.get(fault) == 1
    assert counts.keys() <= {fault, "missing_picture"}


FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("polygon_away", {"segmentation": [[60, 60, 90, 60, 90, 80, 60, 80]]}),
    ("polygon_away", {"segmentation": [[10, 10, 18, 10, 18, 18, 10, 18]]}),
    ("area_differs", {"area": 4000}),
    ("area_differs", {"area": 0}),
    ("area_differs", {"area": -600.0}),
    ("area_differs", {"area": 20, "segmentation": [[10, 10, 40, 10, 40, 30, 10, 30]]}),
    ("repeated_id", {"id": 1}),
]


def coco(folder: Path, **changed: Any) -> dict[str, int]:
    Image.new("RGB", (100, 100)).save(folder / "a.png")
    records = [
        {"id": 1, "bbox": [50, 50, 20, 20], "area": 400, "segmentation": [[50, 50, 70, 50, 70, 70, 50, 70]]},
        {"id": 2, "bbox": [50, 10, 20, 20], "area": 210.5, "segmentation": {"counts": "", "size": [0, 0]}},
        {"id": 3, "bbox": [10, 10, 30, 20], "area": 600, **changed},
    ]
    del records[1]["segmentation"]  # a mask's area, the mask left out
    categories = changed.get("categories", [{"id": 1, "name": "ship"}, {"id": 2, "name": "gas station"}])
    data = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
        "annotations": [{"image_id": 1, "category_id": 1, "iscrowd": 0, **record} for record in records],
        "categories": categories,
    }
    (folder / "coco.json").write_text(json.dumps(data))
    return audit(str(folder / "coco.json"), "coco", str(folder)).counts


def test_fields_that_agree_are_no_fault(tmp_path: Path) -> None:
    assert coco(tmp_path) == {}
    assert coco(tmp_path, segmentation=[[11, 9, 39, 10, 40, 31]], area=301) == {}


@pytest.mark.parametrize(("fault", "changed"), FIELDS)
def test_fields_that_disagree_are_found(tmp_path: Path, fault: str, changed: dict[str, Any]) -> None:
    assert coco(tmp_path, **changed) == {fault: 1}


@pytest.mark.parametrize("variant", ["SHIP", "ships", "Ship", "ship "])
def test_spellings_of_one_category_are_found(tmp_path: Path, variant: str) -> None:
    found = coco(tmp_path, categories=[{"id": 1, "name": "ship"}, {"id": 2, "name": variant}])
    assert found == ({"category_spelling": 1} if variant.strip() != "ship" else {"repeated_category": 1})


def test_a_polygon_away_from_its_box_and_a_copied_name_are_found_in_xml(tmp_path: Path) -> None:
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((70, 70), (90, 70), (90, 90)))
    box = "<bndbox><xmin>10</xmin><ymin>10</ymin><xmax>%s</xmax><ymax>30</ymax></bndbox>"
    for name, polygon, side in (("a", points, 30), ("b", "", 31)):
        (tmp_path / f"{name}.xml").write_text(
            "<annotation><filename>a.png</filename><size><width>99</width><height>99</height></size>"
            f"<object><name>ship</name>{box % side}<polygon>{polygon}</polygon></object></annotation>"
        )
    assert audit(str(tmp_path), "voc").counts == {"polygon_away": 1, "ambiguous_picture": 1}


def test_a_picture_outside_is_not_opened_unless_it_is_meant(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.new("RGB", (100, 100)).save(tmp_path / "b.png")
    assert found(tmp_path / "set", [{**record("What?", "A bay."), "image": "../b.png"}], "llava") == {"path_outside": 1}
    file, folder = str(tmp_path / "set/set.json"), str(tmp_path / "set")
    assert audit(file, "llava", folder, allow_outside=True).counts == {}
