"""Which scenes a source has: its patterns, expanded into one SceneFiles each.

One idea: a scene's id is its source's name, a dot, and its path below the pattern's fixed folder, so it stays the same when the
whole folder moves. Nothing is opened here.

`{band}` in a pattern means one file per band: files whose paths differ in that text only are one scene; so are incomplete ones
whose files differ in the last folder too, as where each pixel size has a folder (R10m, R20m). A scene that lacks a band is
listed with what was found, and refused with that reason when it is opened.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
import re
from collections import Counter
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from rsflow.config.settings import Scenes, Source
from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.readers.bands.band_tags import NO_FILL
from rsflow.readers.listing.acquisition_time import check_rule, check_rule_matches
from rsflow.readers.listing.sidecars import FolderListings, drop_sidecars, find_sidecars
from rsflow.readers.products import PRODUCTS, list_products
from rsflow.records import SceneFiles
from rsflow.text.undecodable import escape_undecodable

BAND = "{band}"
LONGEST_SLUG = 120  # a scene's id becomes a folder's name
_OPTIONS = (
    "product",
    "backscatter",
    "bands",
    "rgb",
    "nodata",
    "scale",
    "offset",
    "unit",
    "gsd_m",
    "acquired_at",
    "allow_outside",
)
_WILD = re.compile(r"[*?\[{]")


def list_scenes(source: Source) -> list[SceneFiles]:
    """Every scene of a source, sorted by id. Raises ConfigError for a pattern without files or that fits not with the rest."""
    scenes = source.scenes
    if scenes.acquired_at is not None:
        check_rule(scenes.acquired_at, f"source {source.name}: acquired_at")
    patterns = (scenes.files,) if isinstance(scenes.files, str) else scenes.files
    found: dict[str, tuple[str, dict[str, str]]] = {}
    folders: dict[str, str] = {}
    metadata: dict[str, list[str]] = {}  # of products
    near = FolderListings()
    for pattern in patterns:
        _check(source, pattern)
        whole = _whole(pattern)
        if storage.is_remote(whole) and not whole.startswith(("http://", "https://")):
            near.add_remote(whole.replace(BAND, "*"))
        if scenes.product:
            products = list_products(PRODUCTS[scenes.product], whole, scenes.bands, f"source {source.name}: scenes")
            groups = {path: each.bands for path, each in products.items()}
            metadata.update((path, each.metadata) for path, each in products.items())
        else:
            groups = _band_groups(whole, scenes.bands) if BAND in whole else {path: {"": path} for path in _raster_files(whole)}
        if not groups:
            missing = (
                f"no folder of {pattern!r} holds {' or '.join(PRODUCTS[scenes.product].metadata)}" if scenes.product else ""
            )
            raise ConfigError(
                f"source {source.name}: {missing or f'no file matches {pattern!r}'}; correct `scenes.files`, or mount or "
                "download the data"
            )
        for path, files in groups.items():
            found.setdefault(path, (_slug(path, _folder(whole)), files))
            folders.update(dict.fromkeys(files.values(), _folder(whole)))
    options = scene_options(scenes)
    reader = "bands" if scenes.product else source.reader
    listed = [
        _refuse_undecodable(
            SceneFiles(
                f"{source.name}.{slug}",
                source.name,
                source.sensor,
                reader,
                files,
                {**options, **(above := _above(files, folders))},
                [
                    *metadata.get(path, []),
                    *find_sidecars(files.values(), near, above.get("folders_up", 0), scenes.allow_outside),
                ],
            )
        )
        for path, slug, files in _with_unique_ids(found)
    ]
    if scenes.acquired_at is not None:
        check_rule_matches(scenes.acquired_at, [path for one in listed for path in one.files.values()], source.name)
    return sorted(listed, key=lambda scene: scene.scene_id)


def _raster_files(pattern: str) -> list[str]:
    """The files that a pattern finds, but for those that only belong to others of them; a pattern without signs is one file."""
    found = storage.glob(pattern)
    return drop_sidecars(found) if _WILD.search(pattern) else found


def _refuse_undecodable(scene: SceneFiles) -> SceneFiles:
    """The scene, or what stands for one with a name that cannot be stored, so that it is counted with its reason."""
    shown = {band: escape_undecodable(path) for band, path in scene.files.items()}
    if shown == scene.files:
        return scene
    detail = f"{next(path for band, path in shown.items() if path != scene.files[band])}: its name is not UTF-8: rename it"
    return replace(scene, files=shown, sidecars=(), options={"listing_error": ["name_not_utf8", detail]})


def pattern_folders(scenes: Scenes) -> tuple[str, ...]:
    """The folders that the patterns of scenes begin with, absolute where they are local; that of a catalogue of items."""
    if scenes.stac is not None:
        return (_folder(_whole(scenes.stac.href)) if scenes.stac.href.endswith("json") else _whole(scenes.stac.href),)
    patterns = (scenes.files,) if isinstance(scenes.files, str) else scenes.files
    return tuple(dict.fromkeys(_folder(_whole(pattern)) for pattern in patterns))


def _above(files: dict[str, str], folders: dict[str, str]) -> dict[str, int]:
    """How many folders a mosaic's sources may lie above it: as many as the user's pattern has above it. A number, not a path,
    so that nothing changes when the whole folder moves."""
    up = [file.removeprefix(folders[file].rstrip("/") + "/").count("/") for file in files.values() if _is_mosaic(file)]
    least = min(up, default=0)
    return {"folders_up": least} if least else {}


def _is_mosaic(file: str) -> bool:
    return file.lower().endswith(".vrt")


def _check(source: Source, pattern: str) -> None:
    where = f"source {source.name}: scenes.files {pattern!r}"
    if BAND in pattern and not source.scenes.bands:
        raise ConfigError(f"{where} has {BAND}; give `bands`: the name of each band and the text that stands for {BAND}")
    if BAND in pattern and source.reader not in {"auto", "bands"}:
        raise ConfigError(f"{where} has {BAND}, which is for the bands reader; found reader {source.reader!r}")
    if BAND not in pattern and source.reader == "bands":
        raise ConfigError(
            f"{where} has no {BAND}, but the bands reader needs one: put it where the file names tell the bands apart"
        )


def _band_groups(pattern: str, bands: dict[str, int | str]) -> dict[str, dict[str, str]]:
    """Scenes as path with `{band}` in it -> band name -> file."""
    texts = {name: str(text) for name, text in bands.items()}
    by_text: dict[str, dict[str, str]] = {}
    taken: set[str] = set()
    # The longest text first: B8A.tif must not be taken for band B8 of a scene whose name ends in A.
    for text in sorted(set(texts.values()), key=lambda text: (-len(text), text)):
        shape = _regex(pattern, text)
        for path in _raster_files(pattern.replace(BAND, text)):
            match = shape.fullmatch(path)
            if match and path not in taken:
                taken.add(path)
                by_text.setdefault(BAND.join(match.groups()), {})[text] = path
    whole = _across_folders(by_text, set(texts.values()))
    return {key: {name: files[text] for name, text in texts.items() if text in files} for key, files in sorted(whole.items())}


def _across_folders(groups: dict[str, dict[str, str]], texts: set[str]) -> dict[str, dict[str, str]]:
    """Scenes whose bands lie in sibling folders (R10m, R20m of Sentinel-2 Level-2A) joined.

    Incomplete groups are one scene where their files differ in the last folder only and no band is in two of them; the scene is
    then called after the folder above.
    """
    kin: dict[str, list[str]] = {}
    for key, files in sorted(groups.items()):
        folder, name = posixpath.split(key)
        if set(files) != texts and BAND in name and BAND not in folder:
            kin.setdefault(posixpath.join(posixpath.dirname(folder), name), []).append(key)
    joined = dict(groups)
    for key, parts in kin.items():
        bands = [text for part in parts for text in groups[part]]
        if len(parts) > 1 and len(bands) == len(set(bands)):
            joined[key] = {text: path for part in parts for text, path in joined.pop(part).items()}
    return joined


def _regex(pattern: str, text: str) -> re.Pattern[str]:
    """The pattern with the band's text in it, as a regular expression whose groups are what stands around the text."""
    return re.compile(re.escape(text).join(f"({_translate(part)})" for part in pattern.split(BAND)), re.DOTALL)


def _translate(glob: str) -> str:
    """A glob as a regular expression: `**` crosses folders, `*` and `?` do not."""
    tokens = re.findall(r"\*\*/?|\*|\?|\[[^\]]+\]|.", glob, re.DOTALL)
    fixed = {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(fixed.get(token) or (token.replace("[!", "[^") if len(token) > 1 else re.escape(token)) for token in tokens)


def _whole(pattern: str) -> str:
    """The pattern as its results will be spelled: absolute where it is local."""
    return pattern if storage.is_remote(pattern) else str(storage.filesystem(pattern)[1])


def _folder(pattern: str) -> str:
    """The folder of a pattern that is the same for all it finds."""
    wild = _WILD.search(pattern)
    return posixpath.dirname(pattern[: wild.start()] if wild else pattern)


def _slug(path: str, folder: str) -> str:
    """The path below `folder` without suffix and band as one word of letters, digits, - and _; never empty."""
    below = path.removeprefix(folder.rstrip("/") + "/")
    if below.startswith(("http://", "https://")):
        below = urlsplit(below).path
    below = posixpath.splitext(below)[0] if not below.endswith(BAND) else below
    below = re.sub(r"(^|/)[^/]*\{band\}[^/]*", _without_band, below)
    return to_slug(below.strip("/") or posixpath.basename(folder.rstrip("/")) or "scene")


def to_slug(text: str) -> str:
    """A text as one word of letters, digits, - and _, at most LONGEST_SLUG of them."""
    word = re.sub(r"[^A-Za-z0-9_-]", "_", text.replace("/", "__"))
    return word if len(word) <= LONGEST_SLUG else f"{word[: LONGEST_SLUG - 9]}-{short_digest(text)}"


def _without_band(match: re.Match[str]) -> str:
    """A path's part that holds the band, without it and without the separators that now lead or trail."""
    name = re.sub(r"[-_. ]*\{band\}", "", match[0].removeprefix("/")).strip("-_. ")
    return match[1] + name if name else ""


def _with_unique_ids(found: dict[str, tuple[str, dict[str, str]]]) -> list[tuple[str, str, dict[str, str]]]:
    """(path, slug, files) with slugs that occur twice lengthened by a hash of their path."""
    counts = Counter(slug for slug, _ in found.values())
    return [
        (path, slug if counts[slug] == 1 else f"{slug}-{short_digest(path)}", files) for path, (slug, files) in found.items()
    ]


def short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def scene_options(scenes: Scenes) -> dict[str, Any]:
    """What the readers need to know, plain JSON values, without what is not set."""
    values = {name: value for name, value in asdict(scenes).items() if name in _OPTIONS and _is_set(value)}
    if not math.isfinite(values.get("nodata", 0)):
        values["nodata"] = NO_FILL  # JSON has no word for it, and pixels that are not finite are never valid
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _is_set(value: Any) -> bool:
    return value is not False and value not in (None, {})  # 0.0 is a fill value, though it equals False
