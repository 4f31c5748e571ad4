"""`pictures.jsonl`: what the other formats have no place for, one line per exported picture.

One idea: source, sensor, licence, place and resolution of every picture travel with an export whatever its format, keyed by
the path under which the records name the picture.
"""

from __future__ import annotations

from rsflow.exports.contract import Record
from rsflow.shards.format import Sample

FILE = "pictures.jsonl"
_SAME = ("tile_id", "source", "sensor", "licence", "height_px", "width_px", "gsd_m", "crs", "footprint", "acquired_at", "cell")


def picture_record(path: str, split: str, sample: Sample, companions: list[Record]) -> Record:
    """The line of one picture; `companions`: what ExportJob.write_companions wrote."""
    line = {"image": path, "split": split, **{name: sample.record.get(name) for name in _SAME}}
    return {**line, "companions": companions} if companions else line
