"""The draft: a configuration that builds, with what was found, what was assumed and what to ask as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from rsflow.discovery.draft_annotations import ASK, OSM_LICENCE, SHOWN, draft_annotations, file_lines, is_known
from rsflow.discovery.file_tree import FileTree
from rsflow.discovery.questions import unnamed_bands
from rsflow.discovery.shared_ground import find_shared_ground
from rsflow.discovery.sources import DraftSource, Unused


def write_draft(tree: FileTree, sources: Sequence[DraftSource], unused: Sequence[Unused], root: str, folder: str) -> str:
    """YAML text. `root`: the lake's place. `folder`: where the file will lie; paths below it are written relative to it."""
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
    shared = find_shared_ground(sources)
    lines += [
        *(shared.lines() if shared else ["tiles: {size_px: 512, whole_up_to_px: 1024}"]),
        "",
        *_allowed_licences(sources),
    ]
    if unused:
        lines += ["", "# Not used:", *(f"#   {_shorten(each.place, folder)}: {each.reason}" for each in unused)]
    return "\n".join(lines) + "\n"


def _allowed_licences(sources: Sequence[DraftSource]) -> Iterator[str]:
    """The setting that lets in what is of unknown licence, where anything is."""
    layers = [layer for source in sources for layer in source.layers if is_known(layer)]
    named = {source.licence for source in sources if not source.scenes.catalogue} | {
        licence for source in sources for licence in source.scenes.licences
    }
    named |= {OSM_LICENCE for layer in layers if layer.rule and layer.rule.is_osm}
    named |= {"unknown" for layer in layers if not (layer.rule and layer.rule.is_osm)}
    if "unknown" in named:
        listed = ", ".join(["unknown", *(json.dumps(name) for name in sorted(named - {"unknown"}))])
        yield "select:"
        yield f"  allow_licences: [{listed}]  {ASK}takes in data of unknown licence; write the licences above, then take it out"


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
        yield f"    sensor: {source.sensor}  {ASK}optical, sar or infrared? One band, or three alike, and no name tells"
    if group.catalogue:
        yield f"    # licences, bands, scale and dates are those of the items: {', '.join(group.licences)}"
    else:
        ask_licence = f"  {ASK}the licence of these files; it goes into every sample" if source.licence == "unknown" else ""
        yield f"    licence: {_text(source.licence) if source.licence != 'unknown' else 'unknown'}{ask_licence}"
    yield "    scenes:"
    lines = file_lines(group.patterns, lambda path: _below(path, folder), "stac" if group.catalogue else "files")
    yield from (f"      {line}" for line in lines)
    if group.product:
        yield f"      product: {group.product}"
    yield from _bands(source)
    if source.acquired_at:
        yield f"      acquired_at: {_text(source.acquired_at)}  # a date in every file's name"
    yield from draft_annotations(source, lambda path: _below(path, folder))
    for other in source.others:
        yield f"    # also there, not used: {other.format} in {_shorten(other.folder, folder)} ({other.labels:,} labels)"
    if source.masks:
        masks = _shorten(source.masks, folder)
        yield f"    {ASK}{masks} looks like masks of these pictures; use it with the meaning of its values:"
        yield f"    # annotations: {{format: masks, files: {_text(masks + '/*')}, options: {{legend: {{0: background}}}}}}"
    yield f"    labellers: [{', '.join(f'{{name: {name}}}' for name in _labellers(source))}]"


def _crs(name: str | None) -> str:
    return "no place on Earth" if not name else name if len(name) < 20 else "a projection of its own"


def _bands(source: DraftSource) -> Iterator[str]:
    group, info = source.scenes, source.scenes.info
    if group.bands:
        yield f"      bands: {{{', '.join(f'{name}: {token}' for name, token in group.bands.items())}}}"
        if set(group.bands) == {token.lower() for token in group.bands.values()} and not {"red", "vv", "hh"} & set(group.bands):
            yield f"      {ASK}which band is red, green, blue, nir? Name them, as in bands: {{red: B4}}"
    elif info and not group.catalogue and len(info.bands) >= 4 and "red" not in info.bands:
        usual = unnamed_bands(source)
        order = usual or {name: number for number, name in enumerate(info.bands[:SHOWN], 1)}
        mark = "" if source.usual_bands else "# "
        yield f"      {mark}bands: {{{', '.join(f'{name}: {number}' for name, number in order.items())}}}"
        if source.usual_bands:
            return
        if usual:
            yield f"      {ASK}is this, the usual order of such files, theirs? Then take off the # before bands"
            return
        yield f"      {ASK}which band is red, green, blue, nir? Name them, as in bands: {{red: 3, green: 2, blue: 1, nir: 4}}"


def _labellers(source: DraftSource) -> list[str]:
    bands = set(source.scenes.bands) | set(source.scenes.info.bands if source.scenes.info else ())
    spectral = source.sensor == "optical" and ({"red", "nir"} <= bands or source.scenes.product not in ("", "sentinel1_grd"))
    return ["spectral", "scene"] if spectral else ["scene"]


def _below(place: str, folder: str) -> str:
    """A path below `folder` relative to it."""
    return place.removeprefix(folder.rstrip("/") + "/")


def _shorten(place: str, folder: str) -> str:
    """A path below `folder` relative to it; on one line, so that no file's name can add one to the draft."""
    return "".join(" " if each.isspace() else each for each in _below(place, folder))


def _text(value: str) -> str:
    """A YAML scalar: JSON's strings are YAML's."""
    return json.dumps(value, ensure_ascii=False)
