"""The draft: a configuration that builds, with what was found, what was assumed and what to ask as comments."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Sequence

from rsflow.discovery.annotation_files import AnnotationGroup
from rsflow.discovery.band_names import usual_order
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.sources import DraftSource, Unused

SHOWN = 8  # categories and files that a comment lists
ASK = "# ASK: "


def write_draft(tree: FileTree, sources: Sequence[DraftSource], unused: Sequence[Unused], root: str, folder: str) -> str:
    """YAML text. `root`: the lake's place. `folder`: where the file will lie; paths below it are written relative to it."""
    allowed = ", ".join(["unknown", *_stated_licences(sources)])
    lines = [
        "# Drafted by `rsflow init` from the files in:",
        *(f"#   {place}" for place in tree.roots),
        f"# Lines with {ASK.strip()} hold what the files cannot tell. Check with `rsflow plan`, then `rsflow build`.",
        "# Every setting is described in docs/configuration.md.",
        f"root: {_text(_shorten(root, folder))}",
        "seed: 0",
        "",
        "sources:",
    ]
    for source in sources:
        lines += [*_source(source, folder), ""]
    lines += [
        "tiles: {size_px: 512, whole_up_to_px: 1024}",
        "",
        "select:",
        f"  allow_licences: [{allowed}]  {ASK}takes in data of unknown licence; write the licences above, then take it out",
    ]
    if unused:
        lines += ["", "# Not used:", *(f"#   {_shorten(each.place, folder)}: {each.reason}" for each in unused)]
    return "\n".join(lines) + "\n"


def _source(source: DraftSource, folder: str) -> Iterator[str]:
    group, info = source.scenes, source.scenes.info
    count = f"{group.count:,} scene{'' if group.count == 1 else 's'}"
    about = (
        f", the first has {info.width_px} x {info.height_px} px, {len(info.bands)} band{'' if len(info.bands) == 1 else 's'} "
        f"of {info.dtype}, {_crs(info.crs)}"
        if info
        else f", product {group.product}"
    )
    yield f"  # {count}{about}"
    yield f"  - name: {source.name}"
    if source.sensor_reason:
        yield f"    sensor: {source.sensor}  # told by: {source.sensor_reason}"
    else:
        yield f"    sensor: {source.sensor}  {ASK}optical, sar or infrared? One band, and no name tells"
    if group.catalogue:
        yield f"    # licences, bands, scale and dates are those of the items: {', '.join(group.licences)}"
        yield "    scenes:"
        yield from _files("stac", group.patterns, folder, "      ")
    else:
        yield f"    licence: unknown  {ASK}the licence of these files; it goes into every sample"
        yield "    scenes:"
        yield from _files("files", group.patterns, folder, "      ")
    if group.product:
        yield f"      product: {group.product}"
    yield from _bands(source)
    if source.acquired_at:
        yield f"      acquired_at: {_text(source.acquired_at)}  # a date in every file's name"
    if source.annotations:
        yield from _annotations(source, source.annotations, folder)
    elif group.classes:
        yield f"    # {len(group.classes)} classes: {_some(group.classes)}"
        yield "    annotations:"
        yield "      format: folders"
        yield from _files("files", group.patterns, folder, "      ")
    for other in source.others:
        yield f"    # also there, not used: {other.format} in {_shorten(other.folder, folder)} ({other.labels:,} labels)"
    if source.masks:
        masks = _shorten(source.masks, folder)
        yield f"    {ASK}{masks} looks like masks of these pictures; use it with the meaning of its values:"
        yield f"    # annotations: {{format: masks, files: {_text(masks + '/*')}, options: {{legend: {{0: background}}}}}}"
    yield f"    labellers: [{', '.join(f'{{name: {name}}}' for name in _labellers(source))}]"


def _stated_licences(sources: Sequence[DraftSource]) -> list[str]:
    found = {licence for source in sources for licence in source.scenes.licences} - {"unknown"}
    return [_text(licence) for licence in sorted(found)]


def _crs(name: str | None) -> str:
    return "no place on Earth" if not name else name if len(name) < 20 else "a projection of its own"


def _annotations(source: DraftSource, group: AnnotationGroup, folder: str) -> Iterator[str]:
    found = len(group.pictures & source.scenes.stems)
    rejects = f", {group.rejects:,} rejected records" if group.rejects else ""
    yield f"    # {group.labels:,} labels of {len(group.pictures):,} pictures, {found:,} of them here{rejects}"
    if group.categories:
        yield f"    # categories: {_some([f'{name} ({count:,})' for name, count in group.categories.items()])}"
    yield "    annotations:"
    yield f"      format: {group.format}"
    suffix = posixpath.splitext(group.files[0])[1]
    patterns = group.files if len(group.files) <= 3 else (posixpath.join(group.folder, f"*{suffix}"),)
    yield from _files("files", patterns, folder, "      ")
    yield f"      exhaustive: true  {ASK}is every object of every category annotated? Else false: nothing is counted"


def _bands(source: DraftSource) -> Iterator[str]:
    group, info = source.scenes, source.scenes.info
    if group.bands:
        yield f"      bands: {{{', '.join(f'{name}: {token}' for name, token in group.bands.items())}}}"
        if set(group.bands) == {token.lower() for token in group.bands.values()} and not {"red", "vv", "hh"} & set(group.bands):
            yield f"      {ASK}which band is red, green, blue, nir? Name them, as in bands: {{red: B4}}"
    elif info and not group.catalogue and len(info.bands) >= 4 and "red" not in info.bands:
        usual = usual_order(group.files[0], len(info.bands)) if group.files else {}
        order = usual or {name: number for number, name in enumerate(info.bands[:SHOWN], 1)}
        yield f"      # bands: {{{', '.join(f'{name}: {number}' for name, number in order.items())}}}"
        if usual:
            yield f"      {ASK}is this, the usual order of such files, theirs? Then take off the # before bands"
            return
        yield f"      {ASK}which band is red, green, blue, nir? Name them, as in bands: {{red: 3, green: 2, blue: 1, nir: 4}}"


def _labellers(source: DraftSource) -> list[str]:
    bands = set(source.scenes.bands) | set(source.scenes.info.bands if source.scenes.info else ())
    spectral = source.sensor == "optical" and ({"red", "nir"} <= bands or source.scenes.product not in ("", "sentinel1_grd"))
    return ["spectral", "scene"] if spectral else ["scene"]


def _files(key: str, patterns: Sequence[str], folder: str, indent: str) -> Iterator[str]:
    places = [_text(pattern.removeprefix(folder.rstrip("/") + "/")) for pattern in patterns]
    if len(places) == 1:
        yield f"{indent}{key}: {places[0]}"
    else:
        yield f"{indent}{key}:"
        yield from (f"{indent}  - {place}" for place in places)


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(" ".join(value.split()) for value in values[:SHOWN]) + more


def _shorten(place: str, folder: str) -> str:
    """A path below `folder` relative to it; on one line, so that no file's name can add one to the draft."""
    return "".join(" " if each.isspace() else each for each in place.removeprefix(folder.rstrip("/") + "/"))


def _text(value: str) -> str:
    """A YAML scalar: JSON's strings are YAML's."""
    return json.dumps(value, ensure_ascii=False)
