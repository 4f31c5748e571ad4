"""Which bands of which assets make up the scene of an item: those that the source names, else those that hold its data.

One idea: what is chosen without settings is what a product's reader would take: one file per band, the finest where there are
several, without panchromatic and cirrus bands, previews and derived layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rsflow.errors import DataError
from rsflow.readers.contract import CLASS_BANDS
from rsflow.stac.documents import Item, Json
from rsflow.stac.items.item_bands import Band, asset_bands, is_picture, is_raster, unlisted_band

ON_REQUEST = frozenset({"pan", "cirrus"})  # common names of bands that are read only where a source names them
# Names of assets that are no bands of the scene, where their roles do not say so.
_AUXILIARY = frozenset({"thumbnail", "overview", "metadata", "visual", "preview", "udm", "udm2", "mask", "saturation", "fmask"})
_ANGLES = frozenset({"saa", "sza", "vaa", "vza", "incidence", "local_incident_angle"})

# Roles of assets that hold measured values (STAC best practices; extensions sar and raster).
_DATA_ROLES = frozenset({"data", "reflectance", "temperature", "amplitude", "magnitude", "sigma0", "beta0", "gamma0"})

Chosen = Mapping[str, Band]  # by the name that the scene's band gets


def choose_bands(item: Item, requested: Mapping[str, int | str], assets: Sequence[str]) -> Chosen | str:
    """The bands of the item's scene, or the name of the one asset whose file is the scene, with whatever bands it has.

    `requested`: name of a band -> asset, name of a band, or number of a band in the one asset; empty: all that hold data.
    `assets`: those to choose from, empty for all. DataError `no_assets`, `missing_asset`, `missing_band` or `no_raster`.
    """
    if not item.data["assets"]:
        raise DataError("no_assets", f"{item.place}: item {item.id} has no assets")
    missing = next((name for name in assets if name not in item.data["assets"]), None)
    if missing is not None:
        raise DataError("missing_asset", f"{item.place}: item {item.id} has no asset {missing!r}; it has {_listed(item)}")
    names = list(assets) or [name for name, asset in item.data["assets"].items() if is_raster(asset)]
    if not names:
        raise DataError(
            "no_raster",
            f"{item.place}: item {item.id} has no asset of pixels (GeoTIFF, JPEG 2000, JPEG, PNG); it has {_listed(item)}",
        )
    if requested:
        return _requested(item, requested, names)
    return _found(item, names if assets else _data_assets(item, names))


def _requested(item: Item, requested: Mapping[str, int | str], names: Sequence[str]) -> Chosen:
    by_asset = {name: asset_bands(item, name) for name in names}
    return {band: _one(item, value, by_asset) for band, value in requested.items()}


def _one(item: Item, value: int | str, by_asset: Mapping[str, Sequence[Band]]) -> Band:
    """The band that a setting names: an asset of one band, band `asset#2`, else a band by its own or common name, the finest of
    several."""
    if isinstance(value, int):
        if len(by_asset) != 1:
            detail = (
                f"band {value} is requested, but of which asset? It has {', '.join(by_asset)}: name one in scenes.stac.assets"
            )
            raise DataError("missing_band", f"{item.place}: item {item.id}: {detail}")
        ((asset, listed),) = by_asset.items()
        return _numbered(asset, listed, value)
    asset, _, number = value.rpartition("#")
    if asset in by_asset and number.isdecimal() and int(number) >= 1:
        return _numbered(asset, by_asset[asset], int(number))
    if value in by_asset and len(by_asset[value]) <= 1:
        return next(iter(by_asset[value]), unlisted_band(item, value))
    every = [band for bands in by_asset.values() for band in bands]
    exact = [band for band in every if value in band.names]
    fitting = exact or [band for band in every if value.lower() in map(str.lower, band.names)]
    if not fitting:
        raise _no_band(item, value, by_asset)
    return min(fitting, key=_preference)


def _no_band(item: Item, value: str, by_asset: Mapping[str, Sequence[Band]]) -> DataError:
    if value in by_asset:
        names = ", ".join(band.names[0] if band.names else f"{value}#{band.number}" for band in by_asset[value])
        return DataError(
            "missing_band", f"{item.place}: asset {value!r} of item {item.id} has several bands, name one: {names}"
        )
    known = dict.fromkeys(name for bands in by_asset.values() for band in bands for name in band.names)
    shown = f"; their bands: {', '.join(known)}" if known else ""
    detail = f"item {item.id} has no asset or band {value!r}; its assets: {_listed(item)}{shown}"
    return DataError("missing_asset", f"{item.place}: {detail}")


def _numbered(asset: str, listed: Sequence[Band], number: int) -> Band:
    """Band number `number` (from 1) of an asset, also where the asset does not list it: whether it is there, the file shows."""
    return next((band for band in listed if band.number == number), Band(asset, number, max(len(listed), number, 2), ()))


def _preference(band: Band) -> tuple[float, int]:
    """The finest first; of equals the asset with the fewest bands, which is no picture made from others."""
    return (band.gsd_m or float("inf"), band.of)


def _data_assets(item: Item, names: Sequence[str]) -> list[str]:
    """Assets that hold the scene's data by their roles; those without roles, and at last pictures, where none does."""
    assets = item.data["assets"]
    for fits in (_holds_data, _holds_unstated):
        if found := [name for name in names if fits(name, assets[name])]:
            return found + [name for name in names if name.lower() in CLASS_BANDS and name not in found]
    if found := [name for name in names if _holds_picture(name, assets[name])]:
        return [name for name in found if asset_bands(item, name)] or found[:1]  # each is a picture of its own
    raise DataError(
        "no_raster",
        f"{item.place}: no asset of item {item.id} has the role data or visual; it has {_listed(item)}: "
        "name those to read in scenes.stac.assets",
    )


def _roles(asset: Json) -> set[str]:
    roles = asset.get("roles") or []
    return {str(role).lower() for role in (roles if isinstance(roles, list) else [roles])}


def _holds_data(name: str, asset: Json) -> bool:
    return not _DATA_ROLES.isdisjoint(_roles(asset)) and name.lower() not in CLASS_BANDS and not is_picture(asset)


def _holds_unstated(name: str, asset: Json) -> bool:
    return not _roles(asset) and name.lower() not in _AUXILIARY | CLASS_BANDS and not is_picture(asset)


def _holds_picture(name: str, asset: Json) -> bool:
    return "visual" in _roles(asset) or "data" in _roles(asset) or name.lower() == "visual"


def _found(item: Item, names: Sequence[str]) -> Chosen | str:
    """All bands of these assets that have a name; the asset itself where there is one and it lists none."""
    by_asset = {name: asset_bands(item, name) for name in names}
    listed = [band for bands in by_asset.values() for band in bands]
    named = [band for band in listed if band.common] or [band for band in listed if band.names]
    has_common = any(band.common for band in named)
    if len(names) == 1 and (len(named) < max(len(listed), 1 if has_common else 2) or _doubled(named)):
        return names[0]
    if not has_common:
        plain = [name for name in names if name.lower() not in _AUXILIARY | _ANGLES] or names
        named = [band for name in plain for band in by_asset[name] or (unlisted_band(item, name),)]
    classes = [unlisted_band(item, name) for name in names if name.lower() in CLASS_BANDS and not by_asset[name]]
    return _by_name([*named, *(band for band in classes if band.asset not in {each.asset for each in named})])


def _doubled(bands: Sequence[Band]) -> bool:
    return len({band.names[0] for band in bands}) < len(bands)


def _by_name(bands: Sequence[Band]) -> Chosen:
    """The finest band of each name. Bands of one common name that the product itself distinguishes keep its names."""
    own = {(band.common, band.own) for band in bands if band.common and band.own}
    several = {common for common, count in Counter(common for common, _ in own).items() if count > 1}
    best: dict[str, Band] = {}
    for band in bands:
        if band.common not in ON_REQUEST:
            name = (band.own or band.names[0] if band.common in several else band.names[0]).lower()
            best[name] = min(best.get(name, band), band, key=_preference)
    return best


def _listed(item: Item) -> str:
    return ", ".join(item.data["assets"]) or "none"
