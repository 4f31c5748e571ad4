"""Writes one box or text per picture in every format that names pictures, for tests that must hold for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """`path` below the folder `images`, such as train/0001.png."""

    path: str
    width: int
    height: int
    box: Box
    category: str = "ship"

    @property
    def stem(self) -> str:
        return self.path.rsplit(".", 1)[0]


def write_coco(folder: Path, pictures: Sequence[Picture]) -> str:
    names = sorted({one.category for one in pictures})
    images: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for number, one in enumerate(pictures):
        x0, y0, x1, y1 = one.box
        images.append({"id": number, "file_name": one.path, "width": one.width, "height": one.height})
        box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "category_id": names.index(one.category)}
        records.append({"id": number, "image_id": number, **box})
    data = {"images": images, "annotations": records, "categories": [{"id": i, "name": name} for i, name in enumerate(names)]}
    _write(folder / "set.json", json.dumps(data))
    return str(folder / "set.json")


def write_csv(folder: Path, pictures: Sequence[Picture]) -> str:
    rows = [",".join([one.path, *map(str, one.box), one.category]) for one in pictures]
    _write(folder / "set.csv", "\n".join(["image,xmin,ymin,xmax,ymax,label", *rows]))
    return str(folder / "set.csv")


def write_dota(folder: Path, pictures: Sequence[Picture]) -> str:
    for one in pictures:
        x0, y0, x1, y1 = one.box
        ring = " ".join(map(str, (x0, y0, x1, y0, x1, y1, x0, y1)))
        _write(folder / f"labels/{one.stem}.txt", f"{ring} {one.category} 0\n")
    return str(folder / "labels/**/*.txt")


def write_yolo(folder: Path, pictures: Sequence[Picture]) -> str:
    names = sorted({one.category for one in pictures})
    _write(folder / "labels/classes.txt", "\n".join(names))
    for one in pictures:
        x0, y0, x1, y1 = one.box
        shares = ((x0 + x1) / 2 / one.width, (y0 + y1) / 2 / one.height, (x1 - x0) / one.width, (y1 - y0) / one.height)
        text = f"{names.index(one.category)} " + " ".join(f"{value:.6f}" for value in shares)
        _write(folder / f"labels/{one.stem}.txt", text)
    return str(folder / "labels/**/*.txt")


def write_voc(folder: Path, pictures: Sequence[Picture]) -> str:
    for one in pictures:
        corners = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), one.box, strict=True))
        size = f"<size><width>{one.width}</width><height>{one.height}</height></size>"
        item = f"<object><name>{one.category}</name><bndbox>{corners}</bndbox></object>"
        text = f"<annotation><filename>{escape(one.path.rsplit('/', 1)[-1])}</filename>{size}{item}</annotation>"
        _write(folder / f"labels/{one.stem}.xml", text)
    return str(folder / "labels/**/*.xml")


def write_fair1m(folder: Path, pictures: Sequence[Picture]) -> str:
    for one in pictures:
        x0, y0, x1, y1 = one.box
        corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
        points = "".join(f"<point>{x},{y}</point>" for x, y in corners)
        size = f"<size><width>{one.width}</width><height>{one.height}</height></size>"
        name = f"<possibleresult><name>{one.category}</name></possibleresult>"
        item = f"<objects><object><coordinate>pixel</coordinate>{name}<points>{points}</points></object></objects>"
        source = f"<source><filename>{escape(one.path.rsplit('/', 1)[-1])}</filename></source>"
        _write(folder / f"labels/{one.stem}.xml", f"<annotation>{source}{size}{item}</annotation>")
    return str(folder / "labels/**/*.xml")


def write_captions(folder: Path, pictures: Sequence[Picture]) -> str:
    entries = [{"filename": one.path, "sentences": [{"raw": f"A {one.category} at {one.box}."}]} for one in pictures]
    _write(folder / "captions.json", json.dumps({"images": entries}))
    return str(folder / "captions.json")


def write_rsflow(folder: Path, pictures: Sequence[Picture]) -> str:
    rows = [
        {
            "file": f"images/{one.path}",
            "height_px": one.height,
            "width_px": one.width,
            "labels": [{"kind": "box", "category": one.category, "box": one.box}],
        }
        for one in pictures
    ]
    _write(folder / "set.jsonl", "\n".join(json.dumps(row) for row in rows))
    return str(folder / "set.jsonl")


WRITERS: dict[str, Callable[[Path, Sequence[Picture]], str]] = {
    "captions": write_captions,
    "coco": write_coco,
    "csv": write_csv,
    "dota": write_dota,
    "fair1m": write_fair1m,
    "rsflow": write_rsflow,
    "voc": write_voc,
    "yolo": write_yolo,
}
BOXED = sorted(set(WRITERS) - {"captions"})


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
