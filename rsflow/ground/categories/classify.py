"""From attributes to categories: which rule a feature falls under, and what it is then.

One idea: the first rule whose conditions hold decides. All is decided per distinct value of an attribute and spread over the
features by index. What no rule takes is no fault, since rules choose, but it is counted by value: a value that was forgotten
in a map would otherwise be lost in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from rsflow.errors import ConfigError
from rsflow.ground.categories.conditions import Condition, normalise_value, parse_conditions
from rsflow.ground.categories.osm_tags import OSM_TAGS
from rsflow.ground.files.layer_files import TAGS
from rsflow.ground.layer_settings import AttributeCategory, FeatureKind, Rule

_POINTS, _LINES = (0, 4), (1, 2, 5)  # type ids of shapely

NO_FORM = -1
MISSING = "(missing)"  # stands for the value of an attribute that a feature lacks


@dataclass(frozen=True)
class FeatureForm:
    """What features of one category and rule are. `kind` "point": of no known extent. Widths and areas on the ground."""

    category: str
    kind: str
    width_m: float | None = None
    min_area_m2: float = 0.0
    min_area_px: float = 0.0
    uncertainty_m: float = 0.0


@dataclass
class Classifier:
    """`forms` fills while batches are classified; `unmapped` counts (attribute, value) that no rule takes."""

    rules: Sequence[Rule]
    uncertainty_m: float
    place: str
    renamed: dict[str, str] = field(default_factory=dict)
    forms: dict[FeatureForm, int] = field(default_factory=dict)
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if not self.rules:
            raise ConfigError(f"{self.place}: gives no category: set options.category, or options.rules (docs/ground.md)")
        self._conditions = [parse_conditions(rule.where, f"{self.place}.rules.{n}.where") for n, rule in enumerate(self.rules)]

    @property
    def attributes(self) -> list[str]:
        """All that rules ask for, each once."""
        named = [condition.attribute for found in self._conditions for condition in found]
        named += [rule.category.attribute for rule in self.rules if isinstance(rule.category, AttributeCategory)]
        return list(dict.fromkeys([*named, *(OSM_TAGS if any(rule.tags for rule in self.rules) else ())]))

    def classify(self, table: pa.Table, types: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The number of each feature's form (`forms`), NO_FORM where no rule takes it. `types`: type ids of its geometries."""
        values = Attributes(table)
        found = np.full(table.num_rows, NO_FORM, np.int32)
        undecided = np.ones(table.num_rows, np.bool_)
        for rule, needed in zip(self.rules, self._conditions, strict=True):
            mine = undecided & _match_conditions(needed, values)
            for rows, category, kind, width_m in _match_rule(rule, mine, values):
                self._assign(found, rows, types, rule, category, kind, width_m)
                undecided &= ~rows
        self._count_unmapped(values, undecided)
        return found

    def _assign(
        self,
        found: npt.NDArray[np.int32],
        rows: npt.NDArray[np.bool_],
        types: npt.NDArray[np.int32],
        rule: Rule,
        category: str,
        kind: FeatureKind | None,
        width_m: float | None,
    ) -> None:
        name = self.renamed.get(category, category)
        if not name:
            return
        uncertainty_m = self.uncertainty_m if rule.uncertainty_m is None else rule.uncertainty_m
        points, lines = np.isin(types, _POINTS), np.isin(types, _LINES)
        extents: tuple[tuple[npt.NDArray[np.bool_], str, float | None], ...] = (
            (points, kind or "object" if rule.diameter_m else "point", rule.diameter_m),
            (lines, "line" if kind in (None, "object") else kind, width_m),
            (~points & ~lines, "object" if kind in (None, "line") and not rule.kind else kind or "object", None),
        )
        for of_type, its_kind, width in extents:
            if (chosen := rows & of_type).any():
                form = FeatureForm(name, its_kind, width, rule.min_area_m2, rule.min_area_px, uncertainty_m)
                found[chosen] = self.forms.setdefault(form, len(self.forms))

    def _count_unmapped(self, values: Attributes, undecided: npt.NDArray[np.bool_]) -> None:
        """Features that no rule takes, by the values of the attributes that rules go by; of tags, those that they have."""
        tagged = any(rule.tags for rule in self.rules)
        for attribute in self.attributes:
            codes, distinct = values.coded(attribute)
            for code, count in zip(*np.unique(codes[undecided], return_counts=True), strict=True):
                if distinct[code] is not None or not tagged:
                    self.unmapped[attribute, MISSING if distinct[code] is None else normalise_value(distinct[code])] += int(
                        count
                    )


class Attributes:
    """The attributes of a batch by name, as codes into distinct values; those of OpenStreetMap also from TAGS."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._coded: dict[str, tuple[npt.NDArray[np.int64], list[Any]]] = {}
        self._tags: dict[str, list[str | None]] | None = None

    def coded(self, attribute: str) -> tuple[npt.NDArray[np.int64], list[Any]]:
        """(code of each row, distinct values by code); a missing value is None."""
        if attribute not in self._coded:
            encoded = self._column(attribute).dictionary_encode("encode")
            if isinstance(encoded, pa.ChunkedArray):
                encoded = encoded.combine_chunks()
            encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
            self._coded[attribute] = (
                encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
                encoded.dictionary.to_pylist(),
            )
        return self._coded[attribute]

    def _column(self, attribute: str) -> Any:
        if attribute in self._table.column_names:
            return self._table[attribute]
        if TAGS in self._table.column_names:
            if self._tags is None:
                self._tags = _tag_columns(self._table[TAGS].to_pylist())
            if attribute in self._tags:
                return pa.array(self._tags[attribute], pa.string())
        return pa.nulls(self._table.num_rows, pa.string())


def _tag_columns(texts: Sequence[str | None]) -> dict[str, list[str | None]]:
    """The values of each key by row, from JSON objects of tags."""
    found: dict[str, list[str | None]] = {}
    for row, text in enumerate(texts):
        for key, value in orjson.loads(text).items() if text else ():
            if key not in found:
                found[key] = [None] * len(texts)
            found[key][row] = value
    return found


def _match_conditions(needed: Sequence[Condition], values: Attributes) -> npt.NDArray[np.bool_]:
    matches = np.ones(values._table.num_rows, np.bool_)
    for condition in needed:
        matches &= _test_distinct(condition.holds, *values.coded(condition.attribute))
    return matches


def _test_distinct(test: Callable[[Any], bool], codes: npt.NDArray[np.int64], distinct: list[Any]) -> npt.NDArray[np.bool_]:
    answers = np.array([test(value) for value in distinct], np.bool_)
    return answers[codes] if len(answers) else np.zeros(len(codes), np.bool_)


_Match = tuple[npt.NDArray[np.bool_], str, FeatureKind | None, float | None]


def _match_rule(rule: Rule, mine: npt.NDArray[np.bool_], values: Attributes) -> list[_Match]:
    """(rows, category, kind, width) for each category that the rule finds among the rows `mine`."""
    if isinstance(rule.category, str):
        return [(mine, rule.category, rule.kind, rule.width_m)]
    if isinstance(rule.category, AttributeCategory):
        codes, distinct = values.coded(rule.category.attribute)
        names = [_map_category(rule.category, value) for value in distinct]
        by_name = {name: np.array([name == other for other in names], np.bool_) for name in names if name is not None}
        return [(mine & chosen[codes], name, rule.kind, rule.width_m) for name, chosen in by_name.items()]
    return _match_tags(rule, mine, values)


def _map_category(source: AttributeCategory, value: Any) -> str | None:
    if value is None or not normalise_value(value):
        return None
    if source.map is None:
        return normalise_value(value).replace("_", " ")
    return source.map.get(normalise_value(value), source.default)


def _match_tags(rule: Rule, mine: npt.NDArray[np.bool_], values: Attributes) -> list[_Match]:
    found: list[_Match] = []
    left = mine.copy()
    for key, kinds in OSM_TAGS.items():
        codes, distinct = values.coded(key)
        for tag in dict.fromkeys(kinds.get(str(value), kinds.get("*")) for value in distinct if value not in (None, "no")):
            if tag is not None:
                answers = [value not in (None, "no") and kinds.get(str(value), kinds.get("*")) == tag for value in distinct]
                rows = left & np.array(answers, np.bool_)[codes]
                found.append((rows, tag.category, rule.kind or tag.kind, rule.width_m or tag.width_m))
                left &= ~rows
    return found
