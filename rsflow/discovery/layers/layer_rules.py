"""What a vector layer's features are, as far as the names and values of its attributes show.

One idea: OpenStreetMap's tags mean what the shipped table says; an attribute with few different words, whose name says that it
holds a kind, gives the categories; else the file's or the folder's name gives one noun. Everything else is a question.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rsflow.discovery.layers.layer_samples import sample_layer
from rsflow.ground.files.layer_files import Layer

MOST_VALUES = 40  # different values of an attribute that can be categories
_TAGS = {"building", "highway", "landuse", "natural", "waterway", "amenity", "leisure", "railway", "man_made", "aeroway"}
_KIND = re.compile(
    r"(?:^|[_.-])(?:class|classes|type|kind|categor(?:y|ies)|label|landuse|use|species|crop|cover|lulc)(?:$|[_.-])"
)
_NOUNS = (
    *("building", "road", "house", "tree", "field", "parcel", "lake", "river", "glacier", "ship", "vehicle", "swimming pool"),
    *(
        "solar panel",
        "bridge",
        "runway",
        "greenhouse",
        "storage tank",
        "pond",
        "trail",
        "well",
        "wind turbine",
        "crown",
        "plot",
    ),
)
NO_NOUN = "mapped feature"
# Layers of administration: nobody can see them in a picture.
_ADMINISTRATION = re.compile(r"(?<![a-z])(?:countr(?:y|ies)|count(?:y|ies)|states?|provinces?|municipalit|districts?|admin)")


@dataclass(frozen=True, slots=True)
class LayerRule:
    """`options` of the entry; `attributes`: names with their commonest values, in words; `questions`: what is not known.

    `is_known`: whether it is known what its features are.
    """

    options: dict[str, Any]
    features: int
    geometry: str
    attributes: tuple[str, ...]
    questions: tuple[str, ...]
    is_osm: bool = False
    is_known: bool = True


def vector_rule(layer: Layer) -> LayerRule:
    """A rule that builds, with what should be asked about it."""
    sample = sample_layer(layer)
    geometry, values = sample.geometry, sample.values
    if layer.is_osm or len(_TAGS & set(layer.attributes)) >= 3:
        return LayerRule({"rules": [{"tags": "osm"}]}, sample.features, geometry, (), (), layer.is_osm)
    words = tuple(f"{name}: {_some(counts)}" for name, counts in values.items())
    invisible = bool(_ADMINISTRATION.search(posixpath.basename(layer.path).lower()))
    kind = next((name for name, counts in values.items() if _holds_kinds(name, counts) and not invisible), "")
    category = {"from": kind} if kind else NO_NOUN if invisible else _noun(layer.path)
    line = {"width_m": 6.0} if "Line" in geometry else {}
    questions = _questions(kind, str(category), geometry)
    options = {"rules": [{"category": category, **line}]} if kind or line else {"category": category}
    known = category != NO_NOUN
    return LayerRule(options, sample.features, geometry, words, tuple(questions), is_known=known)


def _questions(kind: str, category: str, geometry: str) -> list[str]:
    if kind:
        which = f"does {kind} say what a feature is?"
    elif category == NO_NOUN:
        which = "what is a feature? Name it under category, and take the # before these lines off."
    else:
        which = f"is every feature a {category}?"
    questions = [f"{which} Rules by attribute: docs/ground.md"]
    if "Line" in geometry:
        questions.append("how wide are these lines on the ground, in metres (width_m)?")
    if "Point" in geometry:
        questions.append("how large are these points' objects? Without diameter_m they are only known to be there")
    return [
        *questions,
        "is every one within the layer's extent mapped? Then exhaustive: true, and absence and counts can be asked",
    ]


def _holds_kinds(name: str, counts: Counter[str]) -> bool:
    """Whether the values are words of a few kinds: no codes, numbers or names of single features."""
    words = all(re.fullmatch(r"[^\W\d_](?:[\w ,/()-]*[^\W_)])?\)?", value) and len(value) >= 3 for value in counts)
    return (
        bool(_KIND.search(name.lower())) and words and len(counts) <= MOST_VALUES and len(counts) * 2 <= max(4, counts.total())
    )


def _noun(path: str) -> str:
    """A noun from the names of the file and its folder."""
    stem, folder = posixpath.splitext(posixpath.basename(path))[0], posixpath.basename(posixpath.dirname(path))
    for text in (stem, folder):
        words = re.sub(r"[^a-z]+", " ", text.lower())
        for noun in _NOUNS:
            if re.search(rf"(?:^| ){noun}(?:e?s)?(?: |$)", words):
                return noun
    return NO_NOUN


def _some(counts: Counter[str]) -> str:
    shown = [f"{' '.join(value.split())[:40]} ({number:,})" for value, number in counts.most_common(4)]
    return ", ".join([*shown, *([f"{len(counts) - 4} more values"] if len(counts) > 4 else [])])
