"""Lines that many threads append to a file durably: group commit.

Whoever appends while another thread writes waits for it, and the next to write takes the lines of all that wait, with one write
and one fsync. So the disk's latency bounds how long one append takes, and not how many there are in a second.

A log is a local folder of segments. A process appends to segments of its own, whose names sort after all that were there when
they were begun. A line is whole where its checksum is right; only the last line of a segment may be torn, when a process or a
machine stopped while it was written, and no caller relies on it. Of a write that fails nothing stays.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from rsflow.errors import LakeError
from rsflow.files.faults import translate_errors

SUFFIX = ".log"
_SEGMENT = re.compile(r"\d{20}-[0-9a-f]{8}" + re.escape(SUFFIX))
SEGMENT_BYTES = 64 << 20  # a segment that has grown to this size is left for a new one
_CHECKSUM = 9  # hexadecimal digits and a space
sync_to_disk = getattr(os, "fdatasync", os.fsync)


@dataclass(slots=True)
class _Group:
    """Lines that are written together, by the thread that brought the first of them."""

    lines: list[bytes] = field(default_factory=list)
    after: str = ""  # the newest of the segments that these lines overrule
    is_done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


@dataclass(slots=True)
class AppendLog:
    """Appends to the log in `folder`, which is created with the first line."""

    folder: str
    _group: _Group = field(default_factory=_Group)  # that may still be joined
    _joining: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _descriptor: int = -1
    _segment: str = ""  # that the descriptor writes to
    _bytes: int = 0

    def append(self, texts: list[bytes], after: str = "") -> None:
        """Append texts without line breaks, one line each; they are on the disk when it returns. StorageError where not.

        They come to stand in the segment `after` or in one that sorts behind it."""
        lines = b"".join(b"%08x %b\n" % (zlib.crc32(text), text) for text in texts)
        with self._joining:
            group = self._group
            group.lines.append(lines)
            group.after = max(group.after, after)
            is_first = len(group.lines) == 1
        if is_first:
            self._write(group)
        else:
            group.is_done.wait()
        if group.error:
            raise group.error

    def _write(self, group: _Group) -> None:
        """Write a group when the one before it is written; until then others join it."""
        try:
            with self._writing:
                self._close_group(group)
                try:
                    with translate_errors(self.folder, "append to"):
                        self._write_through(b"".join(group.lines), group.after)
                except BaseException:
                    self._discard_failed_write()  # before another thread may write
                    raise
        except BaseException as error:  # also an interrupt: every caller of the group raises it, none goes on or waits for ever
            group.error = error
            self._close_group(group)
        finally:
            group.is_done.set()

    def _close_group(self, group: _Group) -> None:
        with self._joining:
            if self._group is group:
                self._group = _Group()

    def _discard_failed_write(self) -> None:
        """Remove what a failed write left, whole lines too: their callers were refused. The next line goes to a new segment."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._bytes)
        self.close()

    def _write_through(self, data: bytes, after: str) -> None:
        if self._descriptor < 0 or self._bytes >= SEGMENT_BYTES or self._segment < after:
            self._begin_segment()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        sync_to_disk(self._descriptor)
        self._bytes += len(data)

    def _begin_segment(self) -> None:
        self.close()
        os.makedirs(self.folder, exist_ok=True)
        newest = max((int(name.partition("-")[0]) for name in list_segments(self.folder)), default=0)
        self._segment = f"{max(time.time_ns(), newest + 1):020d}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._bytes = 0
        path = os.path.join(self.folder, self._segment)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


def list_segments(folder: str) -> list[str]:
    """The names of a log's segments, oldest first; none where there is no log. LakeError where another `.log` is among them."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    for name in names:
        if not _SEGMENT.fullmatch(name):
            raise LakeError(
                f"{os.path.join(folder, name)}: no segment of a log, whose name is 20 digits, '-', 8 hexadecimal digits and "
                f"'{SUFFIX}': move this file to another folder"
            )
    return names


def read_lines(path: str, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """(offset of the text, text) of the whole lines of a segment from an offset on. LakeError for a damaged one."""
    with translate_errors(path, "read"), open(path, "rb") as stream:
        stream.seek(start)
        data = stream.read()
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        yield start + at + _CHECKSUM, checked_text(path, start + at, data[at:end])
        at = end + 1


def read_line(path: str, offset: int, size: int) -> bytes:
    """The text of so many bytes that `read_lines` found at this offset."""
    with translate_errors(path, "read"), open(path, "rb") as stream:
        stream.seek(offset - _CHECKSUM)
        return checked_text(path, offset - _CHECKSUM, stream.read(_CHECKSUM + size))


def checked_text(path: str, offset: int, line: bytes) -> bytes:
    """The text of a line whose checksum is right."""
    text = line[_CHECKSUM:]
    if line[:_CHECKSUM] != b"%08x " % zlib.crc32(text):
        raise LakeError(f"{path}: the line at byte {offset} is damaged: delete that line, and what it recorded is asked again")
    return text
