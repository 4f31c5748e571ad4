"""rsflow's own annotation lines: every kind of label comes back as it was written, and what is broken is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.annotations import ANNOTATIONS
from rsflow.errors import UsageError
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import label_row

FROM = Provenance("annotation", "rsflow")
LABELS = (
    Label("box", "ship", FROM, Shape((1.5, 2.0, 30.0, 40.0))),
    Label("box", "ship", FROM, Shape((10.0, 5.0, 40.0, 35.0), (25.0, 5.0, 40.0, 20.0, 25.0, 35.0, 10.0, 20.0), oriented=True)),
    Label("phrase", "dock", FROM, Shape((0.0, 0.0, 5.0, 5.0)), text="the small dock"),
    Label("question", "yes", FROM, text="is there a ship?"),
    Label("caption", "", FROM, text="A port."),
    Label("category", "port", FROM),
)


def line(file: str, labels: tuple[Label, ...], **more: Any) -> str:
    return json.dumps({"file": file, "height_px": 100, "width_px": 80, **more, "labels": [label_row(one) for one in labels]})


def test_every_kind_of_label_comes_back_and_lines_of_a_picture_are_joined(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    lines = [line("/d/a/1.png", LABELS[:3], complete=False), line("/d/b/1.png", LABELS[:1]), line("/d/a/1.png", LABELS[2:])]
    file.write_text("\n".join(lines))
    read = ANNOTATIONS["rsflow"]([str(file)])
    assert not read.rejects
    assert read.categories == ("ship",)
    # Pictures of one name in two folders are two; one line that lists everything is enough.
    assert {name: picture.complete for name, picture in read.pictures.items()} == {"/d/a/1": True, "/d/b/1": True}
    assert read.pictures["/d/a/1"].labels == LABELS


def test_a_broken_label_is_a_reject_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    row = {
        "file": "1.png",
        "height_px": 50,
        "width_px": 50,
        "labels": [{"kind": "box", "category": "x", "box": [60, 60, 70, 70]}, {}],
    }
    file.write_text(json.dumps(row) + "\n")
    read = ANNOTATIONS["rsflow"]([str(file)])
    assert [(reject.subject, reject.reason) for reject in read.rejects] == [
        ("line 1 label 0", "box_outside"),
        ("line 1 label 1", "broken_record"),
    ]
    assert not read.pictures["1"].complete


@pytest.mark.parametrize("text", ["{", "[]", '{"file": "a.png"}'])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.jsonl").write_text(text)
    with pytest.raises(UsageError, match="line 1 is not"):
        ANNOTATIONS["rsflow"]([str(tmp_path / "labels.jsonl")])
