"""The annotations of a drafted source: one entry, or a list of them, with what was found and what to ask as comments."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rsflow.discovery.annotation_files import AnnotationGroup
from rsflow.discovery.layers.ground_layers import GroundDraft
from rsflow.discovery.scenes.scene_group import ChangePairs
from rsflow.discovery.sources import DraftSource

ASK = "# ASK: "
SHOWN = 8  # categories that a comment lists
OSM_LICENCE, OSM_ATTRIBUTION = "ODbL-1.0", "© OpenStreetMap contributors"


def draft_annotations(source: DraftSource, spell: Callable[[str], str]) -> list[str]:
    """Lines of YAML below a source, nothing where it has no annotations. `spell`: how a path is written."""
    entries = []
    if source.annotations:
        entries.append(list(_picture_entry(source, source.annotations, spell)))
    elif source.scenes.pairs:
        entries.append(list(_pairs_entry(source.scenes.pairs, spell)))
    elif source.scenes.classes:
        comment = f"# {len(source.scenes.classes)} classes: {some(source.scenes.classes)}"
        entries.append([comment, "format: folders", *file_lines(source.scenes.patterns, spell)])
    entries += [list(_layer_entry(layer, spell)) for layer in source.layers if is_known(layer)]
    unknown = [line for layer in source.layers if not is_known(layer) for line in _listed(list(_layer_entry(layer, spell)))]
    # Without another entry the comment brings the key itself.
    head = ["    annotations:"] if entries else ["    # annotations:"] if unknown else []
    listed = len(entries) > 1 or bool(unknown)
    shown = [line for entry in entries for line in (_listed(entry) if listed else (f"      {each}" for each in entry))]
    return [*head, *shown, *(f"    # {line.strip('#')[4:]}" if not line.lstrip().startswith("#") else line for line in unknown)]


def is_known(layer: GroundDraft) -> bool:
    """Whether it is known what a layer holds; else its entry is a comment."""
    return layer.rule is None or layer.rule.is_known


def _listed(entry: Sequence[str]) -> Iterator[str]:
    """An entry as an item of a list: its comments before it, the dash at its first key."""
    comments = [line for line in entry if line.startswith("#")]
    keys = [line for line in entry if not line.startswith("#")]
    yield from (f"      {line}" for line in comments)
    yield f"      - {keys[0]}"
    yield from (f"        {line}" for line in keys[1:])


def _picture_entry(source: DraftSource, group: AnnotationGroup, spell: Callable[[str], str]) -> Iterator[str]:
    found = len(group.pictures & source.scenes.stems)
    rejects = f", {group.rejects:,} rejected records" if group.rejects else ""
    yield f"# {group.labels:,} labels of {len(group.pictures):,} pictures, {found:,} of them here{rejects}"
    if group.categories:
        yield f"# categories: {some([f'{name} ({count:,})' for name, count in group.categories.items()])}"
    yield f"format: {group.format}"
    suffix = posixpath.splitext(group.files[0])[1]
    yield from file_lines(group.files if len(group.files) <= 3 else (posixpath.join(group.folder, f"*{suffix}"),), spell)
    if source.exhaustive is None:
        yield f"exhaustive: true  {ASK}is every object of every category annotated? Else false: nothing is counted"
    else:
        yield f"exhaustive: {_yaml(source.exhaustive)}"


def _pairs_entry(pairs: ChangePairs, spell: Callable[[str], str]) -> Iterator[str]:
    yield "# pairs of two dates, and what changed between them: docs/change.md"
    yield "format: change_pairs"
    yield from file_lines(pairs.patterns, spell)
    if pairs.splits:
        yield f"splits: {_yaml({name: [spell(one) for one in patterns] for name, patterns in pairs.splits.items()})}"
    if pairs.options:
        is_asked = "category" in pairs.options
        yield f"options: {_yaml(pairs.options)}{f'  {ASK}what do the masks mark?' if is_asked else ''}"


def _layer_entry(layer: GroundDraft, spell: Callable[[str], str]) -> Iterator[str]:
    rule = layer.rule
    if rule:
        yield f"# a layer of {rule.features:,} features ({rule.geometry}) on the ground of these scenes"
        yield from (f"# attribute {_one_line(words)}" for words in rule.attributes[:SHOWN])
    yield from (f"{ASK}{_one_line(question)}" for question in (rule.questions if rule else layer.questions))
    yield f"format: {layer.format}"
    yield from file_lines((layer.file,), spell)
    if rule and rule.is_osm:
        yield f"licence: {OSM_LICENCE}"
        yield f"attribution: {_yaml(OSM_ATTRIBUTION)}"
    else:
        yield f"licence: unknown  {ASK}the licence of this layer; name its keepers under attribution"
    options = dict(rule.options if rule else layer.options)
    if layer.area_of_interest:
        options["area_of_interest"] = spell(layer.area_of_interest)
    yield f"options: {_yaml(options)}"


def file_lines(patterns: Sequence[str], spell: Callable[[str], str], key: str = "files") -> Iterator[str]:
    """The setting of this key: one path or several."""
    places = [_yaml(spell(pattern)) for pattern in patterns]
    if len(places) == 1:
        yield f"{key}: {places[0]}"
    else:
        yield f"{key}:"
        yield from (f"  - {place}" for place in places)


def some(values: Sequence[str]) -> str:
    """The first values, and how many more there are, on one line."""
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(" ".join(value.split()) for value in values[:SHOWN]) + more


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _yaml(value: Any) -> str:
    """A YAML value: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)
