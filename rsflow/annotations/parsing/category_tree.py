"""Categories that stand above others, as COCO's `supercategory` has it.

An annotator gives an object its most special category, so a general one without boxes is not absent: where a truck is
a "vehicle", no box of "vehicle" does not mean that there is no vehicle. Exports of Roboflow even list a root of all categories
that no object ever has (https://github.com/roboflow/roboflow-100-benchmark/issues/45).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CategoryTree:
    """`above`: the next more general name of each category that has one, both without case."""

    parents: dict[str, str] = field(default_factory=dict)

    def exhaustive_categories(self, categories: Iterable[str], present: Collection[str]) -> tuple[str, ...]:
        """Those of `categories`, sorted, of which every instance has a box of that very name in a picture with `present`.

        Not a category above another one, and none below one that is present: that object may be of any of them.
        """
        general, shown = set(self.parents.values()), {name.casefold() for name in present}
        vague = shown & general
        return tuple(
            sorted(c for c in categories if c.casefold() not in general and not vague.intersection(self._all_above(c)))
        )

    def _all_above(self, category: str) -> list[str]:
        found: list[str] = []
        name = self.parents.get(category.casefold())
        while name is not None and name not in found:
            found.append(name)
            name = self.parents.get(name)
        return found


def read_category_tree(data: dict[str, Any]) -> CategoryTree:
    """The tree of a COCO document's categories. A `supercategory` that is no category's name, or its own, is a mere group."""
    entries = [(_name(entry, "name"), _name(entry, "supercategory")) for entry in data.get("categories", [])]
    names = {name for name, _ in entries}
    return CategoryTree({name: above for name, above in entries if above in names and above != name})


def _name(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value.strip().casefold() if isinstance(value, str) else ""
