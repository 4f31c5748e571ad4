"""HTML from values, with every text escaped unless it is already Markup.

One idea: a text that is not Markup cannot become part of a tag, so a caption or a file name with `<script>` in it is shown and
not run. The page allows no script at all (Content-Security-Policy), for the case that one got through.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence


class Markup(str):
    """HTML source."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """`<tag a="…">children</tag>`; `class_` stands for the attribute class, other underscores for hyphens."""
    named = "".join(f' {_attribute(name)}="{html.escape(value, quote=True)}"' for name, value in attributes.items())
    return Markup(f"<{tag}{named}>{join(children)}</{tag}>")


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """All parts after each other, those that are not Markup escaped."""
    return Markup(between.join(part if isinstance(part, Markup) else html.escape(part, quote=True) for part in parts))


def picture(data: bytes, kind: str, alternative: str) -> Markup:
    """An image within the page; `kind`: png, jpeg or svg+xml."""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return Markup(f'<img src="{source}" alt="{html.escape(alternative, quote=True)}">')


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1) -> Markup:
    """A table; columns after the first `text_columns` hold numbers and are set to the right."""

    def line(tag: str, cells: Sequence[str]) -> Markup:
        kinds = ({} if column < text_columns else {"class_": "number"} for column in range(len(cells)))
        return element("tr", *(element(tag, cell, **kind) for cell, kind in zip(cells, kinds, strict=True)))

    body = element("tbody", *(line("td", row) for row in rows))
    return element("div", element("table", element("thead", line("th", head)), body), class_="scroll")


def figure(chart: Markup, caption: str, *more: Markup) -> Markup:
    """A chart with its caption and, folded, the numbers that it was drawn from; without a chart the numbers themselves."""
    if not chart:
        return element("figure", element("figcaption", caption), *more)
    folded = [element("details", element("summary", "numbers"), *more)] if more else []
    return element("figure", chart, element("figcaption", caption), *folded)
