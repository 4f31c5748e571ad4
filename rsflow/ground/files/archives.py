"""Vector files in zip archives and gzip files, as GDAL's virtual file systems name them.

`x.zip` alone is read where it holds one vector file; `x.zip/inner/y.gpkg` names one of several, with or without GDAL's prefix
`/vsizip/` (https://gdal.org/en/stable/user/virtual_file_systems.html).
"""

from __future__ import annotations

import re
import zipfile

from rsflow.errors import ConfigError

_MEMBER = re.compile(r"(?P<archive>.+?\.(?:zip|kmz|shz))/(?P<member>.+)$", re.IGNORECASE)
_PREFIX = "/vsizip/"
_VECTOR = (".shp", ".gpkg", ".geojson", ".json", ".fgb", ".gml", ".kml", ".osm", ".pbf", ".geojsonl", ".geojsons", ".csv")


def split_member(path: str) -> tuple[str, str]:
    """(the archive or file, the member of an archive that the path names; \"\" where it names none)."""
    path = path.removeprefix(_PREFIX)
    found = _MEMBER.match(path)
    return (found["archive"], found["member"]) if found else (path, "")


def gdal_name(path: str, member: str) -> str:
    """What GDAL opens of a local file. ConfigError for a member that the archive lacks, or where one must be named."""
    lower = path.lower()
    if lower.endswith(".gz"):
        return f"/vsigzip/{path}"
    if not lower.endswith(".zip"):
        return f"{_PREFIX}{path}/{member}" if member else path
    members = [name for name in zipfile.ZipFile(path).namelist() if not name.endswith("/")]
    vector = [name for name in members if name.lower().endswith(_VECTOR)]
    if member:
        if member not in members:
            raise ConfigError(f"{path}: has no member {member!r}; its members: {', '.join(members)}")
        return f"{_PREFIX}{path}/{member}"
    if len(vector) != 1:
        problem = f"holds {len(vector)} vector files" if vector else "holds no vector file"
        raise ConfigError(f"{path}: {problem}: name one as {path}/MEMBER; its members: {', '.join(members)}")
    return f"{_PREFIX}{path}/{vector[0]}"
