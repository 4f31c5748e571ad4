"""Planted faults of every class are all found, and none is reported in a clean set."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.audit import audit
from rsflow.cli import main
from rsflow.errors import UsageError

HINT = " Answer the question using a single word or phrase."


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(texts)]


def picture(path: Path, seed: int, size: tuple[int, int] = (120, 80)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)).save(path)


SPELLED = {
    "geochat": "{<10><20><30><40>|<57>}",
    "mmrs": "[0.10,0.20,0.30,0.40]",
    "llava": "[0.1, 0.2, 0.3, 0.4]",
    "pixels": "[10, 20, 30, 40]",
}


def clean(folder: Path, form: str, pictures: int = 12) -> list[dict[str, Any]]:
    """A set that any careful maker could have written: several captions of a picture, the same question on several pictures."""
    rows = []
    for i in range(pictures):
        name = f"images/{i}.{'jpg' if i % 2 else 'png'}"
        picture(folder / name, i)
        rows += [
            {"image": name, "conversations": turns("<image>\nCaption?", f"A port, number {i}.")},
            {"image": name, "conversations": turns("<image>\nCaption?", f"Ships near a quay, {i}.")},
            {
                "image": name,
                "conversations": turns(f"<image>\nHow many ships?{HINT}", str(i + 1), f"Is there a ship?{HINT}", "Yes"),
            },
            {"image": name, "conversations": turns("<image>\nWhere is the ship?", f"It is at {SPELLED[form]}, at the quay.")},
            {
                "image": name,
                "conversations": turns("<image>\nIs there a quay?", "Yes.", "Is it long?", "No.", "Is it old?", "Yes."),
            },
        ]
    rows.append({"conversations": turns("Hello", "Hello.")})
    return rows


def written(folder: Path, rows: list[Any], name: str = "set.json") -> str:
    (folder / name).write_text(json.dumps(rows))
    return str(folder / name)


@pytest.mark.parametrize("form", SPELLED)
def test_a_clean_set_has_no_fault(tmp_path: Path, form: str) -> None:
    file = written(tmp_path, clean(tmp_path, form))
    report = audit(file)
    assert report.counts == {}
    assert report.form == f"{form}, told from its texts"
    assert (report.inspected["records"], report.inspected["pictures"], report.inspected["boxes"]) == (61, 12, 12)
    assert "no faults" in report.text()


def at(folder: Path, box: str) -> dict[str, Any]:
    return {"image": "images/1.jpg", "conversations": turns("<image>\nSay where.", f"At {box}.")}


PLANTED: dict[str, Any] = {
    "angle_out_of_range": lambda folder: at(folder, "{<10><20><30><40>|<402>}"),
    "value_out_of_range": lambda folder: at(folder, "{<10><20><130><40>|<7>}"),
    "box_empty": lambda folder: at(folder, "{<30><20><10><40>|<7>}"),
    "broken_record": lambda folder: {"image": "images/1.jpg", "conversations": turns("Only asked?")},
    "missing_picture": lambda folder: {"image": "images/none.jpg", "conversations": turns("<image>\nWhat?", "A port.")},
    "wrong_size": lambda folder: {
        "image": "images/1.jpg",
        "width": 120,
        "height": 81,
        "conversations": turns("<image>\nEh?", "A port."),
    },
    "contradictory_answers": lambda folder: {
        "image": "images/1.jpg",
        "conversations": turns(f"<image>\nHow many ships?{HINT}", "7"),
    },
    "repeated_text": lambda folder: {"image": "images/1.jpg", "conversations": turns("<image>\nCaption?", "A port, number 1.")},
}


def unreadable(folder: Path) -> dict[str, Any]:
    whole = (folder / "images/1.jpg").read_bytes()
    (folder / "images/cut.jpg").write_bytes(whole[: len(whole) // 2])
    return {"image": "images/cut.jpg", "conversations": turns("<image>\nWhat?", "A cut port.")}


def repeated(folder: Path) -> dict[str, Any]:
    (folder / "images/copy.jpg").write_bytes((folder / "images/1.jpg").read_bytes())
    return {"image": "images/copy.jpg", "conversations": turns("<image>\nWhat?", "A port again.")}


PLANTED |= {"unreadable_picture": unreadable, "repeated_picture": repeated}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(tmp_path: Path, fault: str) -> None:
    rows = clean(tmp_path, "geochat")
    place = random.Random(fault).randrange(len(rows))
    rows.insert(place, PLANTED[fault](tmp_path))
    report = audit(written(tmp_path, rows), "geochat")
    assert report.counts == {fault: 1}
    (example,) = report.examples[fault]
    # Of a pair, the later record is named too, wherever it stands.
    assert "record" in example.where
    if fault not in {"repeated_text", "contradictory_answers", "repeated_picture"}:
        assert example.where == f"record {place}"


def test_all_faults_at_once_are_all_found(tmp_path: Path) -> None:
    rows = clean(tmp_path, "geochat")
    for fault in PLANTED:
        rows.insert(random.Random(fault).randrange(len(rows)), PLANTED[fault](tmp_path))
    assert audit(written(tmp_path, rows), "geochat").counts == dict.fromkeys(sorted(PLANTED), 1)


def test_boxes_beyond_the_stated_picture_are_found_without_pictures(tmp_path: Path) -> None:
    asked = "What is within [2500,3000,2600,3100] in the satellite image with a resolution of 1000 x 1000?"
    inverted = "Image resolution: 10000 x 10000. Bounding box: [6793, 2739, 3871, 2852]. What is it?"
    rows = [{"image": [f"{i}.jpg"], "conversations": turns(text, "A")} for i, text in enumerate((asked, inverted))]
    report = audit(written(tmp_path, rows))
    assert report.counts == {"box_outside": 1, "box_empty": 1}
    assert any("give --pictures" in note for note in report.notes)


def test_a_box_in_the_padding_is_outside_its_picture(tmp_path: Path) -> None:
    rows = clean(tmp_path, "mmrs")  # pictures of 120 x 80: rows from 0.17 to 0.83 of the square
    rows.append(at(tmp_path, "[0.10,0.02,0.30,0.40]"))
    assert audit(written(tmp_path, rows), "mmrs").counts == {"box_outside": 1}


def test_answers_that_differ_in_words_only_do_not_contradict(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1)
    rows = [
        {"image": "a.png", "conversations": turns("Is there a ship?", "Yes.")},
        {"image": "a.png", "conversations": turns("Is there a ship?", "Yes, there is one near the quay.")},
        {"image": "a.png", "conversations": turns("How many?", "2")},
        {"image": "a.png", "conversations": turns("How many?", "2.0")},
        {"image": "a.png", "conversations": turns("How many?", "Two")},
        {"image": "a.png", "conversations": turns("What colour is the roof?", "Red.")},
        {"image": "a.png", "conversations": turns("What colour is the roof?", "It is red")},
    ]
    assert audit(written(tmp_path, rows)).counts == {}
    blue = {"image": "a.png", "conversations": turns("What colour is the roof?", "Blue.")}
    assert audit(written(tmp_path, [*rows, blue])).counts == {"contradictory_answers": 1}
    rows.append({"image": "a.png", "conversations": turns("Is there a ship?", "No, there is none.")})
    assert audit(written(tmp_path, rows)).counts == {"contradictory_answers": 1}


def test_json_lines_are_read_as_well(tmp_path: Path) -> None:
    rows = [*clean(tmp_path, "llava"), PLANTED["missing_picture"](tmp_path)]
    (tmp_path / "set.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert audit(str(tmp_path / "set.jsonl")).counts == {"missing_picture": 1}


def test_many_faults_are_counted_and_few_are_shown(tmp_path: Path) -> None:
    rows = [{"image": f"{i}.jpg", "conversations": turns("Where?", f"{{<1><1><9><9>|<{400 + i}>}}")} for i in range(40)]
    report = audit(written(tmp_path, rows), "geochat")
    assert report.counts == {"angle_out_of_range": 40}
    assert len(report.examples["angle_out_of_range"]) == 5
    assert "and 35 more" in report.text()


def test_the_command_ends_with_one_on_any_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = clean(tmp_path, "geochat")
    file = written(tmp_path, rows)
    assert main(["audit", file]) == 0
    assert "no faults" in capsys.readouterr().out
    written(tmp_path, [*rows, PLANTED["angle_out_of_range"](tmp_path)])
    assert main(["audit", file, "--json", str(tmp_path / "report.json")]) == 1
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["counts"] == {"angle_out_of_range": 1}
    assert content["examples"]["angle_out_of_range"][0]["where"] == f"record {len(rows)}"
    assert main(["audit", str(tmp_path / "none.json")]) == 2
    assert main(["audit", file, "--format", "nonsense"]) == 2


def test_a_format_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.1 0.1")
    with pytest.raises(UsageError, match="give --format"):
        audit(str(tmp_path / "a.txt"))
