"""How far positions may be from the truth where a scene is placed by ground control points or rational polynomials.

One idea: a surface through control points says nothing of its own error, but each point can be compared with the surface
through all others (leave-one-out, https://en.wikipedia.org/wiki/Cross-validation_(statistics)); polynomials come with the
error that their maker states (RPC00B, ERR_BIAS and ERR_RAND, http://geotiff.maptools.org/rpc_prop.html). An affine map states
none.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rasterio.transform import GCPTransformer

from rsflow.readers.georeferencing.georeference import to_degrees
from rsflow.spatial.geodesy import distance_m

MIN_POINTS = 5  # fewer leave too little of a surface when one is taken out
MAX_TESTED = 25  # points, evenly chosen: each needs a surface of its own


def position_error_m(dataset: Any) -> float | None:
    """An estimate in metres for an open rasterio dataset that has no affine map; None where nothing is stated."""
    if dataset.crs and not dataset.transform.is_identity:
        return None
    points, crs = dataset.gcps
    if points and crs:
        return _leave_one_out(points, crs)
    rpcs = dataset.rpcs
    stated = [] if rpcs is None else [value for value in (rpcs.err_bias, rpcs.err_rand) if value is not None and value >= 0]
    return math.hypot(*stated) if stated else None


def _leave_one_out(points: list[Any], crs: Any) -> float | None:
    """The median distance between points and where the others place them."""
    if len(points) < MIN_POINTS:
        return None
    distances = []
    for i in np.unique(np.linspace(0, len(points) - 1, MAX_TESTED).astype(int)).tolist():
        others = GCPTransformer([*points[:i], *points[i + 1 :]], tps=True)
        x, y = others.xy([points[i].row], [points[i].col], offset="ul")
        lons, lats = to_degrees(crs, np.array([x[0], points[i].x]), np.array([y[0], points[i].y]))
        distances.append(distance_m(lons[0], lats[0], lons[1], lats[1]))
    found = float(np.median(distances))
    return found if math.isfinite(found) else None
