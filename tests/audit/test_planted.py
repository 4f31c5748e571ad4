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
    ]
    return [record("<image>\nWhat is seen here?", text, id=f"r{i}") for i, text in enumerate(said)]


REFUSALS = (
    "I'm sorry, but I can't see it.",
    "As an AI language model, I do not know.",
    "I cannot assist with that request.",
    "No image was provided.",
    "Please upload the image first.",
    "I don’t have access to pictures.",
    "I am unable to view this.",
)
ENCODINGS = (
    "SÃ£o Paulo",
    "itâ€™s a port",
    "5 Â°C of water",
    "a \ufffd port",
    "caf\\u00e9 by the sea",
    "ships &amp; quays",
    "ï»¿a port",
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
    *("\0", "\x1b[0m", "\u202e", "\u2066", "\u200f"),
)
LOOPS = ("ship ship ship ship ship", "a port near " * 5, "There is a road here. " * 5, "the the the the the end")
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


def test_a_picture_outside_is_not_opened_unless_it_is_meant(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.new("RGB", (100, 100)).save(tmp_path / "b.png")
    assert found(tmp_path / "set", [{**record("What?", "A bay."), "image": "../b.png"}], "llava") == {"path_outside": 1}
    file, folder = str(tmp_path / "set/set.json"), str(tmp_path / "set")
    assert audit(file, "llava", folder, allow_outside=True).counts == {}
