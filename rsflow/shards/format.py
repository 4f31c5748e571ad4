"""The bytes of a shard: a USTAR archive whose every byte follows from its samples.

One idea: the headers are made by hand, with fixed mode, owner and time, so the same samples give the same file on every
machine and day, which no tar library promises. A sample is a picture `<key>.jpg` or `<key>.png` and a record `<key>.json`.
Where several sensors saw the place there is a picture `<key>.<sensor>.png` of each, where several dates did
`<key>.1-before.png` and so on, `<key>.npy` may hold bands as they were measured, and
`<key>.masks.json` the masks of segmentation answers. Members are sorted by extension; samples
are in key order; two zero blocks close the archive (no padding to a tape record).
Plain `tarfile`, GNU tar and `webdataset` read it. The layout of a header: POSIX.1-1988 ustar,
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06

Refused: keys that `webdataset` would cut elsewhere than we do (a dot or slash in them), names longer than the header's 100
bytes, and records that JSON cannot spell.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.errors import DataError

VERSION = 3  # 2: several pictures of a sample, and sources in the index; 3: a CRC-32 of each sample in the index
BLOCK = 512
END = bytes(2 * BLOCK)
PICTURE_FORMATS = ("jpg", "png")

BANDS = "npy"  # the member with raw bands: an array in NumPy's own format, (bands, rows, cols)
MASKS = "masks.json"  # the member with masks of segmentation answers: rsflow.shards.masks
NOT_PICTURES = frozenset({BANDS, MASKS})
BAND_DTYPES = tuple(np.dtype(name) for name in ("uint8", "int16", "uint16", "int32", "float32", "float64"))  # its types

FIRST = "1-"  # what the name of a group's first picture begins with

_NPY = b"\x93NUMPY\x01\x00"  # magic and version
_NPY_BYTES, _NPY_ALIGN = len(_NPY) + 2, 64  # the data begin at a multiple of this

_KEY = re.compile(r"[0-9A-Za-z_-]+")
_OTHER = re.compile(rf"[0-9a-z_-]+\.({'|'.join(PICTURE_FORMATS)})|{BANDS}|{re.escape(MASKS)}")
_NAME_BYTES = 100
_MAX_SIZE = 8**11 - 1
_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2
_MTIME = b"00000000000\0"
# type flag, link name, magic and version, owner and group names, device numbers, prefix, fill
_AFTER_CHECKSUM = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(155 + 12)
# The checksum field counts as eight spaces while the sum is taken.
_FIXED_SUM = sum(_BEFORE_SIZE + _MTIME + b" " * 8 + _AFTER_CHECKSUM)

# Made once: `json.dumps` builds an encoder per call, which takes longer than to spell a record.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile with its chosen instructions, as a shard holds it.

    `picture` is encoded as `picture_format` ("jpg" | "png"). `record` is JSON and holds at least `sensor` and
    `instructions`, a list of objects with a `task`. `others`: further members by extension, `<sensor>.png` (or jpg) for
    another sensor's picture of the same place, `<number>-<role>.png` for another picture of a group, "npy" for raw bands, and
    "masks.json" for masks;
    with another picture, `picture` too is stored under its sensor, or as `1-<role>.png`.
    """

    key: str
    picture: bytes
    picture_format: str
    record: dict[str, Any]
    others: Mapping[str, bytes] = field(default_factory=dict)

    @staticmethod
    def of(key: str, parts: Mapping[str, bytes], record: dict[str, Any]) -> Sample:
        """The sample of a key's members by extension, and of its parsed record. ValueError where none is its picture."""
        for name in PICTURE_FORMATS:
            for extension in (name, f"{first_picture_name(record)}.{name}"):
                if extension in parts:
                    others = {other: data for other, data in parts.items() if other not in (extension, "json")}
                    return Sample(key, parts[extension], name, record, others)
        raise ValueError(f"members {sorted(parts)}, expected json and a picture, plain or {first_picture_name(record)!r}")

    def members(self) -> list[tuple[str, bytes]]:
        """(extension, bytes) of each member, sorted by extension. Raises DataError where the sample cannot be written."""
        if not _KEY.fullmatch(self.key):
            raise DataError("unwritable_sample", f"key {self.key!r}: expected letters, digits, - and _ only")
        if self.picture_format not in PICTURE_FORMATS:
            raise DataError("unwritable_sample", f"{self.key}: picture format {self.picture_format!r}, expected jpg or png")
        own = self.picture_format
        if self.others.keys() - NOT_PICTURES:
            own = f"{first_picture_name(self.record)}.{own}"
        names = [own, *self.others]
        wrong = [name for name in self.others if not _OTHER.fullmatch(name)]
        if wrong or len({name.partition(".")[0] for name in names}) != len(names):
            raise DataError(
                "unwritable_sample", f"{self.key}: members {names}, expected a <sensor>.png or jpg of each, npy or masks.json"
            )
        return sorted([(own, self.picture), ("json", self._json()), *self.others.items()])

    def further_pictures(self) -> list[tuple[str, dict[str, Any]]]:
        """See `further_pictures`."""
        return further_pictures(self.record, self.others)

    def kind(self) -> tuple[str, tuple[str, ...], str, int]:
        """(sensor, its tasks sorted, each once, source, repeat): what a loader chooses samples by. Without a source it is
        empty, without `repeat` it is 1."""
        try:
            tasks = {instruction["task"] for instruction in self.record["instructions"]}
            return self.record["sensor"], tuple(sorted(tasks)), self.record.get("source") or "", self.record.get("repeat", 1)
        except (KeyError, TypeError) as error:
            raise DataError("unwritable_sample", f"{self.key}: its record has no sensor or instructions ({error!r})") from error

    def _json(self) -> bytes:
        try:
            return canonical_json(self.record)
        except (ValueError, TypeError) as error:
            raise DataError("unwritable_sample", f"{self.key}: its record is not plain JSON ({error})") from error


def further_pictures(record: Mapping[str, Any], others: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    """(extension, its entry in the record) of each picture after the first, among the members `others`; in the record's
    order, those without an entry last, by name."""
    known = {picture_name(one): one for one in record.get("companions", ())}
    order = {name: place for place, name in enumerate(known)}
    ordered = sorted((order.get(name.partition(".")[0], len(order)), name) for name in others if name not in NOT_PICTURES)
    names = [(extension, extension.partition(".")[0]) for _, extension in ordered]
    return [(extension, known.get(name, {"sensor": name})) for extension, name in names]


def picture_sizes(record: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(height, width) in pixels of each picture in the record, the sample's own first."""
    own = (record["height_px"], record["width_px"])
    return [own, *((one.get("height_px", own[0]), one.get("width_px", own[1])) for one in record.get("companions", ()))]


def picture_name(companion: Mapping[str, Any]) -> str:
    """What the member of a further picture is called: its number and role in a group, else its sensor."""
    role = companion.get("role")
    return f"{companion['number']}-{role}" if role else str(companion["sensor"])


def first_picture_name(record: Mapping[str, Any]) -> str:
    """What the first picture's member is called where there are several."""
    group = record.get("group")
    return f"{FIRST}{group['role']}" if group else str(record.get("sensor"))


def canonical_json(value: Any) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8, shortest floats. ValueError for NaN and infinities."""
    return _ENCODER.encode(value).encode()


def encode_bands(pixels: npt.NDArray[Any]) -> bytes:
    """Raw bands (bands, rows, cols) as the member BANDS: what `numpy.load` reads. DataError for a type that is none of RAW.

    The header is made by hand, like those of the archive: how much of it is padding changed between releases of NumPy.
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """
    kind = pixels.dtype.newbyteorder("<")
    if kind not in BAND_DTYPES:
        raise DataError("unsupported", f"raw bands are {pixels.dtype}, expected {', '.join(map(str, BAND_DTYPES))}")
    array_header = f"{{'descr': '{kind.str}', 'fortran_order': False, 'shape': {pixels.shape}, }}".encode()
    array_header += b" " * (-(_NPY_BYTES + len(array_header) + 1) % _NPY_ALIGN) + b"\n"
    return b"".join((_NPY, len(array_header).to_bytes(2, "little"), array_header, np.ascontiguousarray(pixels, kind).tobytes()))


def tar_header(name: str, size: int) -> bytes:
    """The 512 bytes before a member's data. DataError where the name or size does not fit the fields of USTAR."""
    encoded = name.encode()
    if len(encoded) > _NAME_BYTES:
        raise DataError("unwritable_sample", f"member name {name!r} has {len(encoded)} bytes, a tar header holds {_NAME_BYTES}")
    if size > _MAX_SIZE:
        raise DataError("unwritable_sample", f"member {name!r} has {size} bytes, a tar header holds up to {_MAX_SIZE}")
    octal = b"%011o\0" % size
    checksum = b"%06o\0 " % (_FIXED_SUM + sum(encoded) + sum(octal))
    return b"".join((encoded.ljust(_NAME_BYTES, b"\0"), _BEFORE_SIZE, octal, _MTIME, checksum, _AFTER_CHECKSUM))


def parse_tar_header(block: bytes) -> tuple[str, int]:
    """(name, size) of a header. ValueError unless it is, byte for byte, what `header` makes of them."""
    name, size = block[:_NAME_BYTES].rstrip(b"\0").decode(), int(block[124:135], 8)
    if tar_header(name, size) != block:
        raise ValueError("a header with other fields than rsflow writes")
    return name, size


def crc32(parts: Iterable[bytes | memoryview]) -> int:
    """The CRC-32 of the data of a sample's members, one after the other."""
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    return found


def padding_bytes(size: int) -> int:
    """How many zero bytes follow a member's data."""
    return -size % BLOCK
