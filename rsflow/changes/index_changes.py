"""Where a spectral index rose or fell between two dates, from calibrated bands.

An index is a normalised difference of two bands' reflectance. A pixel changed where its index differs by at least the stated
threshold and by more than so many times the spread of the pair's differences (1.4826 times the median of
their absolute deviations from the median: noise, season and atmosphere differ everywhere). A pixel that differs by three
quarters of the threshold or more, but not for certain, may have changed: an area of such pixels is unknown, unless it surrounds
one that did.

The earlier picture is moved onto the later one by the measured shift before the two are compared.

- NDVI (nir, red): Rouse et al. 1974, https://ntrs.nasa.gov/citations/19740022614
- NDWI (green, nir): McFeeters 1996, https://doi.org/10.1080/01431169608948714
- MNDWI (green, swir at 1.6 micrometres): Xu 2006, https://doi.org/10.1080/01431160600589179
- NBR (nir, swir at 2.2 micrometres): Key and Benson 2006, https://www.fs.usda.gov/research/treesearch/24066
- NDBI (swir at 1.6 micrometres, nir): Zha et al. 2003, https://doi.org/10.1080/01431160304987
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from rsflow.changes.areas import MOST_AREAS, AreaLimits, Mask, area_shapes, is_negligible, large_areas, unknown_area
from rsflow.records import FELL, ROSE, Label, Provenance, Raster

Floats = npt.NDArray[np.float32]

# Names of bands by role: STAC's, https://github.com/stac-extensions/eo#common-band-names
_ROLES: dict[str, tuple[str, ...]] = {
    "green": ("green",),
    "red": ("red",),
    "nir": ("nir", "nir08"),
    "swir16": ("swir16", "swir1", "swir"),
    "swir22": ("swir22", "swir2"),
}
INDEX_ROLES: dict[str, tuple[str, str]] = {
    "ndvi": ("nir", "red"),
    "ndwi": ("green", "nir"),
    "mndwi": ("green", "swir16"),
    "nbr": ("nir", "swir22"),
    "ndbi": ("swir16", "nir"),
}
NEAR = 0.75  # of the threshold: what differs by as much may be a change, for the two dates are not calibrated more exactly
MIN_KNOWN = 0.1  # share of the picture from which the spread of differences can be estimated
SPREAD = 1.4826  # standard deviations of a normal distribution in its median absolute deviation
LEAST_SPREAD = 0.005


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """`difference`: of the index; `significance`: in units of the spread of the pair's differences."""

    difference: float
    significance: float


def index_bands(index: str, bands: tuple[str, ...]) -> tuple[str, str] | None:
    """The two bands that an index is made of; None where one is missing."""
    found = [next((name for name in _ROLES[role] if name in bands), None) for role in INDEX_ROLES[index]]
    return (found[0], found[1]) if found[0] and found[1] else None


def index_plane(raster: Raster, index: str) -> tuple[Floats, Mask] | None:
    """(index, where it is known) (rows, cols) of physical values; None where a band is missing."""
    names = index_bands(index, raster.bands)
    if names is None:
        return None
    a, b = (raster.pixels[raster.bands.index(name)].astype(np.float32) for name in names)
    # Below zero there is no reflectance: what noise makes of dark pixels would turn the ratio around.
    good = raster.valid & np.isfinite(a) & np.isfinite(b) & (a >= 0) & (b >= 0) & (a + b > 0)
    total = np.where(good, a + b, 1)
    return np.where(good, (a - b) / total, 0).astype(np.float32), np.asarray(good)


def compare_index(
    index: str,
    before: tuple[Floats, Mask],
    after: tuple[Floats, Mask],
    shift_px: tuple[float, float],
    limits: IndexLimits,
    areas: AreaLimits,
) -> list[Label]:
    """The areas where the index rose and fell, in pixels of the later picture, and "compared".

    `before`, `after`: planes and where they are known, of one size. `shift_px`: a thing at x, y of the earlier picture is at
    x + dx, y + dy of the later one. No label where too little of the ground is known.
    """
    earlier, was_known = move(*before, shift_px)
    known = was_known & after[1]
    if known.mean() < MIN_KNOWN:
        return []
    difference = np.where(known, after[0] - earlier, 0)
    middle = float(np.median(difference[known]))
    spread = max(SPREAD * float(np.median(np.abs(difference[known] - middle))), LEAST_SPREAD)
    source = Provenance(
        "labeller", "index_difference", f"{index} by {limits.difference:g}, significance {limits.significance:g}"
    )
    labels = [Label("compared", index, source, text="change", value=limits.difference)]
    unsure = large_areas(~known, areas)
    for flag, sign in ((ROSE, 1.0), (FELL, -1.0)):
        beyond = sign * difference
        certain = known & (beyond >= limits.difference) & (sign * (difference - middle) >= limits.significance * spread)
        counted = large_areas(certain, areas)
        possible = large_areas(known & (beyond >= NEAR * limits.difference), areas)
        unsure |= possible & ~_select_areas_with(possible, counted)
        specks = int((certain & ~counted & ~possible).sum())
        if not is_negligible(specks, int(counted.sum()), known.size):
            unsure |= certain & ~counted
        labels += [Label("change", index, source, shape, value=limits.difference) for shape in area_shapes(counted, (flag,))]
    if len(labels) > MOST_AREAS:
        return []
    return [*labels, unknown_area(unsure, index, source)] if unsure.any() else labels


def move(plane: Floats, known: Mask, shift_px: tuple[float, float]) -> tuple[Floats, Mask]:
    """A plane moved to the right and down (bilinear), and where it is known then: of known pixels alone."""
    dx, dy = shift_px
    moved = ndimage.shift(np.where(known, plane, 0), (dy, dx), order=1, mode="constant", cval=0.0)
    share = ndimage.shift(known.astype(np.float32), (dy, dx), order=1, mode="constant", cval=0.0)
    return moved.astype(np.float32), np.asarray(share > 0.999)


def _select_areas_with(mask: Mask, marks: Mask) -> Mask:
    """The connected areas of a mask that hold a mark."""
    numbered, count = ndimage.label(mask, structure=np.ones((3, 3), np.int8))
    kept = np.bincount(numbered[marks], minlength=count + 1) > 0
    kept[0] = False
    return np.asarray(kept[numbered])
