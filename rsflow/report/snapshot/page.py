"""The page as a whole: head, contents, sections, contact sheets, and its numbers as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

from rsflow.report.pictures.contact_sheet import contact_sheet
from rsflow.report.pictures.show import sample_card
from rsflow.report.snapshot import lake_sections
from rsflow.report.snapshot.facts import LakeFacts, SnapshotIdentity
from rsflow.report.snapshot.html import Markup, element, figure, join, picture, table
from rsflow.report.snapshot.read_samples import PER_SHEET, SnapshotSamples
from rsflow.report.snapshot.sections import sections
from rsflow.report.text.counts_table import format_bytes
from rsflow.shards.format import Sample

SHEET_PX = 300  # width of a sample's picture on a contact sheet
JPEG_QUALITY = 82
NUMBERS_ID = "numbers"

# No script, no request: whatever stands in a caption can only be read.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root{color-scheme:light dark;--ink:#18202b;--quiet:#5a6676;--ground:#f4f6f8;--card:#fff;--edge:#d9dee5;--accent:#2f6fb3}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--quiet:#a3adba;--ground:#12161c;--card:#1b212a;--edge:#333c49;--accent:#7fb2ea}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main,header{max-width:74rem;margin:0 auto;padding:0 1.25rem}
h1{margin:1.5rem 0 .25rem;font-size:1.7rem;overflow-wrap:anywhere}
h2{margin:2.5rem 0 .75rem;font-size:1.25rem;border-bottom:1px solid var(--edge);padding-bottom:.3rem}
h3{margin:1.5rem 0 .5rem;font-size:1rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:1rem 0}
a{color:var(--accent)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:1rem 0}
.tiles div{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.6rem .9rem;color:var(--quiet)}
.tiles b{display:block;font-size:1.35rem;color:var(--ink);font-variant-numeric:tabular-nums}
.figures{columns:2 28rem;column-gap:1rem}
.figures>:not(figure){column-span:all}
figure{margin:0 0 1rem;break-inside:avoid}
figure{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.75rem;min-width:0}
figure img{display:block;max-width:100%;height:auto;margin:0 auto;background:#fff;border-radius:4px}
figcaption{margin:.5rem 0 0;color:var(--quiet);font-size:.9rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto;max-height:32rem;margin:.25rem 0}
table{border-collapse:collapse;font-size:.88rem}
td,th{padding:.18rem 1rem .18rem 0;text-align:left;vertical-align:top}
td,th{border-bottom:1px solid var(--edge);overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--quiet)}
pre{overflow:auto;max-height:24rem;font-size:.78rem;background:var(--card);border:1px solid var(--edge);padding:.75rem}
footer{margin:3rem 0 2rem;color:var(--quiet)}
"""


def snapshot_page(
    title: str, identity: SnapshotIdentity, facts: LakeFacts, samples: SnapshotSamples, numbers: dict[str, Any]
) -> str:
    """The report of a snapshot as one HTML page. `numbers`: what it shows, as JSON values."""
    counts = samples.counts
    parts: list[tuple[str, Iterable[Markup]]] = [
        ("From scenes to samples", lake_sections.funnel_section(facts)),
        *sections(counts),
        ("Splits", lake_sections.splits_section(facts, counts)),
        ("Pictures and bands", lake_sections.bands_section(samples.pictures)),
        ("Sources, licences, attribution", lake_sections.sources_section(facts, counts)),
        ("Labellers", lake_sections.labellers_section(facts)),
        ("Time", lake_sections.time_section(facts.stages)),
        ("Samples", _sheets(samples.sheets)),
    ]
    tiles = [
        (f"{counts.samples.total():,}", "samples"),
        (f"{counts.instructions.total():,}", "instructions"),
        (f"{counts.objects.total():,}", "objects"),
        (f"{len({key[1] for key in counts.instructions})}", "tasks"),
        (f"{len({key[1] for key in counts.samples})}", "sensors"),
        (f"{len({key[2] for key in counts.samples})}", "sources"),
        (format_bytes(identity.bytes), f"in {identity.shards:,} shards"),
    ]
    made = [
        ["snapshot", f"snapshots/{identity.number}.json of {identity.root}"],
        ["digest of the content", identity.digest],
        ["fingerprint of the configuration", identity.config_fingerprint],
        ["seed", str(identity.seed)],
    ]
    parts.append(("How it was made", [table(["", "value"], made, 2)]))
    mark = Markup(identity_mark(identity.number, identity.digest))
    return page(title, f"Snapshot {identity.number}", tiles, parts, numbers, mark)


def identity_mark(number: int, digest: str) -> str:
    """The element of a page's head that says which snapshot it is of."""
    return f'<meta name="rsflow-snapshot" content="{number} {digest}">'


def page(
    title: str,
    subtitle: str,
    tiles: Sequence[tuple[str, str]],
    parts: Sequence[tuple[str, Iterable[Markup]]],
    numbers: dict[str, Any],
    *head_elements: Markup,
) -> str:
    """A page of titled parts; each part's figures are set side by side where there is room."""
    titled = [(_anchor(name), name, content) for name, content in parts]
    contents = element("nav", *(element("a", name, href=f"#{anchor}") for anchor, name, _ in titled))
    shown = element("div", *(element("div", element("b", number), what) for number, what in tiles), class_="tiles")
    bodies = [
        element("section", element("h2", name), element("div", *content, class_="figures"), id=anchor)
        for anchor, name, content in titled
    ]
    text = json.dumps(numbers, ensure_ascii=False)
    folded = element("details", element("summary", "all numbers of this page as JSON"), element("pre", text, id=NUMBERS_ID))
    head = join(
        [
            Markup('<meta charset="utf-8">'),
            Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            *head_elements,
            element("title", f"{title}: {subtitle}"),
            Markup(f"<style>{STYLE}</style>"),
        ],
        "\n",
    )
    header = element("header", element("h1", title), element("div", subtitle), contents, shown)
    body = element("body", header, element("main", *bodies, element("footer", folded)))
    return f'<!doctype html>\n<html lang="en"><head>\n{head}\n</head>\n{body}\n</html>\n'


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _sheets(sheets: dict[tuple[str, str], list[Sample]]) -> Iterator[Markup]:
    yield element(
        "p", f"Of each task and sensor up to {PER_SHEET} samples, those with the smallest keys (hashes), with their boxes."
    )
    for (task, sensor), samples in sheets.items():
        image = contact_sheet([sample_card(sample, task) for sample in samples], columns=PER_SHEET, picture_px=SHEET_PX)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        caption = f"{task.replace('_', ' ')} · {sensor}"
        yield element("div", figure(picture(buffer.getvalue(), "jpeg", caption), caption), class_="wide")
