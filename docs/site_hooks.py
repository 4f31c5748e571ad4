"""Hooks of the documentation site: reference pages from the code, and links that lead out of the site.

One idea: what the code knows (commands, settings) is not written down twice: a placeholder on a page becomes what it says.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

REPOSITORY = "https://github.com/rsflow/rsflow/blob/main"
ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Fill the placeholders of a page, show the notebook, and point links to files outside docs/ to the repository."""
    for name, write in (("commands", command_pages), ("settings", setting_tables), ("notebook", notebook_cells)):
        placeholder = f"{{{{ {name} }}}}"
        if placeholder in markdown:
            markdown = markdown.replace(placeholder, "\n".join(write()))
    return _outside_links(markdown, posixpath.dirname(page.file.src_uri))


def _outside_links(markdown: str, folder: str) -> str:
    def link(match: re.Match[str]) -> str:
        place = posixpath.normpath(posixpath.join("docs", folder, match[1]))
        return f"]({REPOSITORY}/{place})" if not place.startswith("docs/") else match[0]

    return re.sub(r"\]\((\.\./[^)#\s]+)\)", link, markdown)


def command_pages() -> Iterator[str]:
    """A section per command: its help with usage, arguments, options and examples."""
    from rsflow.cli.app import COMMANDS, _command_group

    group = _command_group()
    for name in COMMANDS:
        command = group.commands[name]
        with command.make_context(f"rsflow {name}", [], resilient_parsing=True, terminal_width=100) as context:
            yield f"## rsflow {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def setting_tables() -> Iterator[str]:
    """A table per group of settings, in the order of the configuration."""
    from rsflow.config.settings import BuildConfig

    seen: set[type] = set()
    waiting: list[tuple[str, type]] = [("", BuildConfig)]
    while waiting:
        path, kind = waiting.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        yield f"## {path or 'The file'}\n\n{_summary(kind)}\n"
        yield "| Setting | Type | Default |\n|---|---|---|"
        hints = get_type_hints(kind, include_extras=True)
        for field in dataclasses.fields(kind):
            yield f"| `{field.name}` | {_cell(_type_name(hints[field.name]))} | {_cell(_default(field))} |"
            inner = next((each for each in _parts(hints[field.name]) if dataclasses.is_dataclass(each)), None)
            if inner:
                waiting.append((f"{path}.{field.name}".strip("."), inner))
        yield ""


def notebook_cells() -> Iterator[str]:
    """The cells of the notebook as a page; it is run by a test, not when the site is built."""
    for cell in json.loads((ROOT / "docs/notebooks/first_dataset.ipynb").read_text())["cells"]:
        text = "".join(cell["source"])
        yield text + "\n" if cell["cell_type"] == "markdown" else f"```python\n{text}\n```\n"


def _summary(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").replace("<", "&lt;")


def _parts(hint: Any) -> Iterator[Any]:
    """The types that a hint is made of."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _type_name(hint: Any) -> str:
    """A type in words that a reader of YAML knows."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type_name(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type_name(each) for each in inner))
    if origin is tuple:
        return f"list of {_type_name(inner[0])}" if inner and inner[-1] is Ellipsis else "list"
    if origin is dict:
        return "mapping"
    if origin is not None and inner:
        return " or ".join(f"`{each}`" for each in inner)
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}
    return names.get(hint, "settings" if dataclasses.is_dataclass(hint) else getattr(hint, "__name__", str(hint)))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{json.dumps(field.default, default=str)}`"
    if field.default_factory is dataclasses.MISSING:
        return "required"
    made = field.default_factory()
    return "its own defaults" if dataclasses.is_dataclass(made) else f"`{json.dumps(made, default=str)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
