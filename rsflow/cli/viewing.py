"""The commands that show a lake in a browser and have people judge it: view and review."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from typer import Option

from rsflow.cli.options import Root
from rsflow.errors import UsageError

_PACKAGES = ("starlette", "uvicorn", "duckdb")


def view(
    root: Root,
    host: Annotated[str, Option(metavar="H", help="the address to listen at; any but loopback requires a token")] = "127.0.0.1",
    port: Annotated[int, Option(metavar="N", min=0, max=65535, help="0: 8600, or the next one that is free")] = 0,
    token: Annotated[str, Option(metavar="T", help="the token to require (default: none on loopback, else a new one)")] = "",
    background: Annotated[
        str, Option(metavar="URL", help="tiles behind the map, an address with {z}, {x} and {y} (default: none, no network)")
    ] = "",
) -> int:
    """Show a lake in the browser: samples, records, map, embeddings, rejects.

    Examples:
      rsflow view demo-out/scenes/lake
      rsflow view s3://bucket/lake --port 8700
      rsflow view lake --background 'https://tile.openstreetmap.org/{z}/{x}/{y}.png'
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"`rsflow view` needs {', '.join(missing)}: pip install 'rsflow[view]'")
    from rsflow.viewer.serve import ViewSettings, serve

    return serve(ViewSettings(root, host, port, token, background))
