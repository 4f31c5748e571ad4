"""The pictures and masks of one pair of dates, found by the path of its mask.

A folder of the mask's path is exchanged for the folder of another part of the pair; there the file is taken whose name has the
same key, whatever its extension. Where both folders hold one file each, as WHU's do, that is the pair, whatever the names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rsflow.annotations.annotated_set import picture_name
from rsflow.annotations.change.change_layouts import LAYOUTS, ChangeLayout
from rsflow.errors import ConfigError, DataError
from rsflow.files import storage

_METADATA = (".xml", ".tfw", ".pgw", ".jgw", ".prj", ".ovr", ".txt", ".json", ".csv", ".md")


@dataclass(slots=True)
class FolderNames:
    """The files of folders, each listed once."""

    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def files(self, folder: str) -> tuple[str, ...]:
        """The rasters in a folder, sorted; none where there is no such folder."""
        if folder not in self._listed:
            found = storage.glob(f"{_escape(folder)}/*")
            self._listed[folder] = tuple(file for file in found if not file.lower().endswith(_METADATA))
        return self._listed[folder]


def exchange_folder(file: str, folder: str, other: str) -> str | None:
    """The folder of `file` with its last part `folder` exchanged for `other`; None where its path has no such part."""
    head, found, tail = f"/{posixpath.dirname(file)}/".rpartition(f"/{folder}/")
    return f"{head}/{other}/{tail}".rstrip("/").removeprefix("/") if found else None


def find_partner(file: str, folder: str, layout: ChangeLayout, names: FolderNames) -> str:
    """The file of `folder` that belongs to the mask `file`. DataError `missing_partner` or `ambiguous_partner`."""
    place = exchange_folder(file, layout.masks, folder)
    found = names.files(place) if place else ()
    key = file_key(file, layout.key)
    same = [other for other in found if file_key(other, layout.key) == key]
    if not same and len(found) == 1 == len(names.files(posixpath.dirname(file))):
        same = [found[0]]
    if len(same) > 1:
        raise DataError("ambiguous_partner", f"{', '.join(same[:3])} all have the name {key!r}: which is the pair's?")
    if not same:
        raise DataError("missing_partner", f"{place or folder} holds no file of the name {key!r}: a pair needs both its dates")
    return same[0]


def file_key(file: str, pattern: str) -> str:
    """What of a file's name its pair shares: the groups of the pattern joined, the whole name where it does not match."""
    name = picture_name(file.removesuffix(".json"))
    match = re.fullmatch(pattern, name)
    return "\n".join(group or "" for group in match.groups()) if match else name


def detect_layout(file: str, layouts: Sequence[ChangeLayout], names: FolderNames) -> ChangeLayout | None:
    """The first layout all of whose folders are there beside the mask's."""
    return next((layout for layout in layouts if _fits(file, layout, names)), None)


def known_layouts(name: str) -> tuple[ChangeLayout, ...]:
    """The layouts of that set, of all sets for "auto". ConfigError where no such set is known."""
    if name == "auto":
        # Those with most folders first: S2Looking's label1 is not a mask of all that changed.
        every = [layout for layouts in LAYOUTS.values() for layout in layouts]
        return tuple(sorted(every, key=lambda layout: -len(layout.others)))
    if name not in LAYOUTS:
        raise ConfigError(f"annotations.options.layout is {name!r}, expected one of auto, xbd, levir_cc, {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def custom_layout(masks: str, before: str, after: str) -> ChangeLayout | None:
    """The layout of folders that options name; None where they name none. ConfigError where they are not all named."""
    names = {"masks": masks, "before": before, "after": after}
    if not any(names.values()):
        return None
    missing = [f"annotations.options.{name}" for name, folder in names.items() if not folder.strip("/")]
    if missing:
        raise ConfigError(f"{', '.join(missing)}: missing; masks, before and after name the three folders of a pair together")
    return ChangeLayout(masks.strip("/"), before.strip("/"), after.strip("/"))


def layout_error(file: str, layouts: Sequence[ChangeLayout], names: FolderNames) -> DataError:
    """Why no layout fits a mask: `missing_partner` where one of its folders is there, else `unknown_layout`."""
    for layout in layouts:
        folders = {name: exchange_folder(file, layout.masks, name) for name in (layout.before, layout.after)}
        found = [name for name, folder in folders.items() if folder and names.files(folder)]
        if len(found) == 1 and layout.before != layout.after:
            (other,) = {layout.before, layout.after} - {*found}
            detail = f"beside the folder {found[0]} there is no folder {other} with pictures: a pair needs both its dates"
            return DataError("missing_partner", detail)
    folders_text = "; ".join(dict.fromkeys(f"{one.masks} beside {one.before} and {one.after}" for one in layouts))
    return DataError(
        "unknown_layout",
        f"lies beside no folders of two dates that are known ({folders_text}): name them with annotations.options.masks, "
        "before and after",
    )


def _fits(file: str, layout: ChangeLayout, names: FolderNames) -> bool:
    folders = [exchange_folder(file, layout.masks, folder) for folder in (layout.before, layout.after, *layout.others)]
    return all(folder is not None and names.files(folder) for folder in folders)


def _escape(folder: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", folder)
