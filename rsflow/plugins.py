"""Readers, products, annotation formats, labellers, dialects and exports of other packages, registered by entry points.

One idea: an open set stays a literal table in its folder; a `PluginTable` also has the rows that installed packages declare in
their metadata (the entry point groups below). Names are known without an import; the package's module is imported when its row
is used. A row that cannot be used (declared twice, not importable, of the wrong kind) is refused with one ConfigError that
names the package, and only where it is asked for: a package that nobody uses breaks nothing.

Source of the mechanism: https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

from collections import UserDict, defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar, cast

from rsflow.errors import ConfigError

# Entry point group -> what an object of it must have.
GROUPS: dict[str, tuple[str, ...]] = {
    "rsflow.readers": ("__call__",),
    "rsflow.products": ("metadata", "prefix", "file", "bands", "describe"),
    "rsflow.annotations": ("__call__",),
    "rsflow.labellers": ("name", "version", "sensors", "label"),
    "rsflow.dialects": ("spell", "parse", "max_rounding_px"),
    "rsflow.exports": ("DIALECT", "top_level", "write"),
}

T = TypeVar("T")


class PluginTable(UserDict[str, T]):
    """A table's own rows, then those of installed packages in the order of their names.

    `reserved`: names of another table that this group's packages may not take either.
    """

    def __init__(self, group: str, rows: Mapping[str, T], reserved: Collection[str] = ()) -> None:
        self.group = group
        self.reserved = frozenset(reserved)
        super().__init__(rows)

    def __getitem__(self, name: str) -> T:
        declared = _declared(self.group).get(name, ())
        if declared:
            self._check_unique(name, declared)
            return cast(T, _load(self.group, declared[0]))
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data or name in _declared(self.group)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.data, *_declared(self.group)]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def provider(self, name: str) -> str | None:
        """The package and version that a row comes from, as in `rs-hdf 1.2`; None for a row of rsflow's own."""
        declared = _declared(self.group).get(name, ())
        return _provider(declared[0]) if declared else None

    def _check_unique(self, name: str, declared: tuple[EntryPoint, ...]) -> None:
        providers = [*(["rsflow itself"] if name in self.data or name in self.reserved else []), *map(_provider, declared)]
        if len(providers) > 1:
            raise ConfigError(
                f"{self.group}: {' and '.join(providers)} both have {name!r}: uninstall one of them, or ask its makers for "
                "another name"
            )


@cache
def _declared(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    """The entry points of a group by name; installed packages do not change while a process runs."""
    found: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=group):
        found[point.name].append(point)
    return {name: tuple(sorted(found[name], key=_provider)) for name in sorted(found)}


@cache
def _load(group: str, point: EntryPoint) -> object:
    where = f"{group}: {point.name!r} of {_provider(point)} ({point.value})"
    try:
        found: object = point.load()
    except Exception as error:  # the import runs another package's code, which may raise anything
        raise ConfigError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}; repair or uninstall the package"
        ) from error
    missing = [name for name in GROUPS[group] if not hasattr(found, name)]
    if missing:
        kind = "is not callable" if missing == ["__call__"] else f"has no {', '.join(missing)}"
        raise ConfigError(f"{where} {kind}: docs/extending.md says what it must be")
    own_name = getattr(found, "name", point.name)
    if group == "rsflow.labellers" and own_name != point.name:
        raise ConfigError(f"{where} is named {own_name!r}: the entry point must have the same name")
    return found


def _provider(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
