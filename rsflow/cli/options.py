"""Arguments and options that several commands have, as annotated types for Typer."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

Config = Annotated[str, Argument(metavar="CONFIG", help="a YAML file: the sources, and how to build from them")]
Overrides = Annotated[
    list[str] | None,
    Argument(metavar="key=value", help="replace a setting: tiles.size_px=256, engine.kind=inline", show_default=False),
]
Root = Annotated[str, Argument(metavar="ROOT", help="the lake: the `root` of its configuration, a folder or an s3:// address")]
Json = Annotated[bool, Option("--json", help="print JSON instead of text (docs/json.md)")]
AllowOutside = Annotated[
    bool, Option("--allow-outside", help="follow paths in the set that lead out of that folder (default: they are refused)")
]
