"""Exports: a snapshot as pictures and files that another project's own loader reads, one file per format.

One idea: a literal table of modules (rsflow.exports.contract.Export), and one function that runs them. Boxes are spelled by
rsflow.dialects, looked up when an export runs.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from rsflow import dialects
from rsflow.errors import UsageError
from rsflow.exports import (
    coco,
    earthdial,
    geochat,
    geojson,
    geoparquet,
    hf,
    internvl,
    llamafactory,
    llava,
    lmms_eval,
    mmrs,
    qwen,
    stac,
    swift,
    trl,
    vlmevalkit,
)
from rsflow.exports.contract import Export, ExportJob
from rsflow.exports.writing import output_folder as folder
from rsflow.exports.writing.notes import NOTES, Tally
from rsflow.plugins import PluginTable
from rsflow.shards.manifest import Manifest, Split, read_snapshot, snapshot_root

__all__ = ["EXPORTS", "Export", "Tally", "export", "select_splits"]

EXPORTS: PluginTable[Export] = PluginTable(
    "rsflow.exports",
    {
        "coco": coco,
        "earthdial": earthdial,
        "geochat": geochat,
        "geojson": geojson,
        "geoparquet": geoparquet,
        "hf": hf,
        "internvl": internvl,
        "llamafactory": llamafactory,
        "llava": llava,
        "lmms-eval": lmms_eval,
        "mmrs": mmrs,
        "qwen": qwen,
        "stac": stac,
        "swift": swift,
        "trl": trl,
        "vlmevalkit": vlmevalkit,
    },
)


def export(
    root: str,
    form: str,
    out: str,
    split: str | None = None,
    dialect: str | None = None,
    on_sample: Callable[[], None] = lambda: None,
    pseudo_labels: bool = False,
) -> Tally:
    """Write the latest snapshot (or the one at a manifest's path) to the folder `out` in the named format.

    Every split, or just `split`. `pseudo_labels`: forms of objects hold those that labellers found too, with their scores.
    Post-condition: `out/export.json` says which snapshot this is and that it is complete. Equal snapshots give equal bytes.
    Raises UsageError for an unknown format, split or dialect and for a folder in use.
    """
    if form not in EXPORTS:
        close = difflib.get_close_matches(form, EXPORTS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise UsageError(f"export format {form!r} is not known; {hint}known formats: {', '.join(EXPORTS)}")
    module = EXPORTS[form]
    named = dialect or module.DIALECT
    manifest = read_snapshot(root)
    job = ExportJob(
        snapshot_root(root),
        out,
        select_splits(manifest, split),
        dialects.get_dialect(named),
        on_sample,
        dict(manifest.splits),
        pseudo_labels,
        manifest.digest,
        getattr(module, "HOLDS_GROUPS", False),
    )
    contents = module.top_level(list(job.splits))
    folder.prepare_folder(out, contents)
    module.write(job)
    folder.mark_complete(out, contents, _facts(form, named, manifest, job))
    return job.tally


def select_splits(manifest: Manifest, split: str | None) -> dict[str, Split]:
    """The splits to export, by name in order. UsageError where the requested one is not in the snapshot."""
    if split is not None and split not in manifest.splits:
        raise UsageError(f"split {split!r} is not in the snapshot; its splits: {', '.join(sorted(manifest.splits))}")
    names: Sequence[str] = [split] if split is not None else sorted(manifest.splits)
    return {name: manifest.splits[name] for name in names}


def _facts(form: str, dialect: str, manifest: Manifest, job: ExportJob) -> dict[str, object]:
    return {
        "as": form,
        "dialect": dialect,
        "snapshot": manifest.digest,
        "splits": list(job.splits),
        "pictures": job.tally.pictures,
        "records": job.tally.records,
        "left_out": dict(sorted(job.tally.left_out.items())),
        **{name: job.tally.notes[name] for name in NOTES},
    }
