"""Why a tile or an instruction is in or out, in words and with the pictures side by side.

One idea: a pure function of rows of the `selection` table; each rule has its sentence here, one without fails a test.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from rsflow.errors import UsageError
from rsflow.records import OVERVIEW
from rsflow.report.pictures.contact_sheet import SheetSample, contact_sheet

_SHOWN_REJECTS = 20  # of what lies in a scene

# The beginning of a reason, and what it means; {rest} is what follows it.
REASONS = {
    "kept": "it is in",
    "scene_rejected": "another part of its scene could not be read, so the scene was rejected whole",
    "licence": "its licence is not one of `select.allow_licences`",
    "limit:": "its {rest} is outside of `select.limits`, or of an instruction's `select.instruction_limits`",
    "duplicate_exact": "a better tile shows exactly the same pixels",
    "duplicate_near": "a better tile shows the same picture: their signatures are close, and 64 x 64 pixels confirm it",
    "duplicate_flipped": "a better tile shows the same picture turned or mirrored, as signatures and 64 x 64 pixels say",
    "duplicate_semantic": "a better tile means the same: the cosine of their vectors is at least `select.semantic.cosine`",
    "duplicate_ground": "another delivery of the acquisition, or a tile of its scene that covers it, shows the same ground",
    "duplicate_text": "another instruction of the same picture says the same, or nearly (`select.same_text`)",
    "answer_share": "its answer is the commonest to its kind of question, and beyond `select.max_answer_share` of them",
    "template": "its form of words is beyond `select.max_template_share` of what its task keeps; others come before it by hash",
    "held_out:source": "its source puts it in a split that this dataset does not have",
    "held_out:": "it is held out for a benchmark ({rest}: its name and the test that found it, `cluster` for duplicates)",
    "split_buffer": "it touches, or is nearer than `select.buffer_m` to, ground of a smaller split",
    "picture:": "one of its pictures is out: {rest}",
    "unchanged": "nothing changed in it, and of such groups its source has as many in as groups with a change",
    "split_merged": "it was in one split before, and its group is now in a stronger one together with what was there before",
    "split_alike": "a tile of a smaller split shows the same picture: found pair by pair after the splits were dealt",
    "split_overlap": "a tile of a smaller split shows a part of the same picture: a crop, or a window that overlaps it",
    "split_crowd": "so many tiles of larger splits have a signature like its own that not all of them can be looked at",
    "no_instruction": "nothing could be asked about it",
    "quota:each ": "its {rest} has as many as `select.balance` wants of any, and these come before it by the hash of their ids",
    "quota:total": "`select.balance.total` is reached with instructions that come before it by the hash of their ids",
    "quota:": "the quota {rest} is full with instructions that come before it by the hash of their ids",
    "quota": "quotas took all of its instructions",
    "tile:": "the tile that it belongs to is out: {rest}",
}


def describe_reason(reason: str) -> str:
    """The sentence for a reason. KeyError for one that no rule gives."""
    if reason in REASONS:
        return REASONS[reason]
    start = next(
        (start for start in sorted(REASONS, key=len, reverse=True) if start[-1] in ": " and reason.startswith(start)), None
    )
    if start is None:
        raise KeyError(reason)
    return REASONS[start].format(rest=reason.removeprefix(start))


def explanation_text(
    subject: Mapping[str, Any],
    tile: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]],
    instructions: Mapping[str, int],
    near: Sequence[Mapping[str, Any]] = (),
    pictures: Sequence[Mapping[str, Any]] = (),
    transfers: Sequence[Mapping[str, Any]] = (),
) -> str:
    """What `rsflow explain` prints, from rows of the `selection` table, and of `transfers` for the tile."""
    verdict = "in" if subject["selected"] else "out"
    lines = [
        f"{subject['kind']} {subject['subject']}: {verdict}",
        f"  {subject['reason']}: {describe_reason(subject['reason'])}",
    ]
    if subject["kind"] == "instruction":
        lines.append(f"  task {subject['task']}, goes with tile {tile['tile_id']} ({tile['reason']})")
    lines.append(f"  split {tile['split'] or 'none'}, ground cell {tile['cell'] or 'unknown'}, sensor {tile['sensor']}")
    if (tile["repeat"] or 0) > 1:
        lines.append(f"  to be shown {tile['repeat']} times per epoch, for a rare category (`select.balance.repeat`)")
    lines += [f"  picture {number}: {_picture_text(row)}" for number, row in enumerate(pictures, 1)]
    lines += [f"  {_transfer_text(row)}" for row in transfers]
    if len(members) > 1:
        lines.append(f"  cluster {tile['cluster']} of {len(members)} tiles; {tile['canonical']} stands for it:")
        lines += [f"    {row['tile_id']}: {row['reason']}" for row in members]
    else:
        lines.append("  no duplicate of it is known")
    if near:
        lines.append("  nearest tiles that are in:")
        lines += [f"    {row['tile_id']}: {row['split']}, {_distance_text(row)}" for row in near]
    if instructions:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(instructions.items()))
        lines.append(f"  instructions that go with the tile: {counts}")
    return "\n".join(lines)


def _picture_text(member: Mapping[str, Any]) -> str:
    """A group's picture, from its entry in the table of groups."""
    when = member["acquired_at"].date().isoformat() if member["acquired_at"] else "no date"
    shift = "shift not measured"
    if member.get("box_in_first"):
        shift = f"shows the box {', '.join(f'{value:.0f}' for value in member['box_in_first'])} of picture 1"
    elif member["role"] == OVERVIEW:
        shift = "shows the whole scene"
    elif member["dx_px"] is not None and member["dy_px"] is not None:
        shift = f"shifted by {member['dx_px']:.1f}, {member['dy_px']:.1f} pixels"
    return f"{member['role']}, {member['tile_id']}, {member['sensor']}, {when}, {shift}"


def _transfer_text(row: Mapping[str, Any]) -> str:
    """What the tile got from another one, from a row of the table of transfers."""
    days = "unknown time" if row["days"] is None else f"{row['days']:.1f} days"
    shift = "shift not known"
    if row["dx_px"] is not None and row["dy_px"] is not None:
        shift = f"shifted by {row['dx_px']:.1f}, {row['dy_px']:.1f} pixels"
    known = f"; all of: {', '.join(row['vocabulary'])}" if row["vocabulary"] else ""
    count = f"{row['labels']} {'label' if row['labels'] == 1 else 'labels'}"
    return f"{count} transferred from {row['from_tile']}, {days} apart, {shift}{known}"


def rejects_text(
    subject: str, scene: Mapping[str, Any] | None, tiles: Mapping[str, int], rejects: Sequence[Mapping[str, Any]]
) -> str:
    """What `rsflow explain` prints of a scene, a rejected tile or instruction, or an annotation record."""
    lines = []
    if scene is not None:
        lines += [f"scene {subject}: source {scene['source']}, {', '.join(scene['files'])}"]
        lines += [f"  tiles: {', '.join(f'{count:,} {reason}' for reason, count in tiles.items()) or 'none'}"]
    own = [row for row in rejects if row["subject"] == subject]
    lines += [f"{row['kind']} {subject}: rejected\n  {_reject_line(row)}" for row in own]
    others = [row for row in rejects if row["subject"] != subject]
    lines += [f"  {row['kind']} {row['subject']}: {_reject_line(row)}" for row in others[:_SHOWN_REJECTS]]
    if len(others) > _SHOWN_REJECTS:
        lines.append(f"  and {len(others) - _SHOWN_REJECTS:,} more rejects (rsflow rejects ROOT --scene {subject})")
    return "\n".join(lines)


def reject_lines(rows: Sequence[Mapping[str, Any]], limit: int) -> list[str]:
    """What `rsflow rejects` prints: the first `limit` rejects, a line each, then how many there are by reason."""
    lines = [f"{row['source']}  {row['kind']} {row['subject']}  {_reject_line(row)}{_file_note(row)}" for row in rows[:limit]]
    if len(rows) > limit:
        lines.append(f"and {len(rows) - limit:,} more: -n shows more, --source, --reason and --scene show fewer")
    by_reason = Counter(row["reason"] for row in rows)
    lines += [f"{count:>9,}  {reason}" for reason, count in sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))]
    return [*lines, f"{len(rows):,} rejects"]


def _file_note(row: Mapping[str, Any]) -> str:
    return f"  [{row['file']}]" if row["file"] else ""


def _reject_line(row: Mapping[str, Any]) -> str:
    windows = f" ({row['rows']:,} windows)" if row["rows"] > 1 else ""
    return f"{row['reason']} in step {row['step']}{windows}: {row['detail']}"


def _distance_text(row: Mapping[str, Any]) -> str:
    return f"{row['apart_m']:,.0f} m away" if "apart_m" in row else f"differs by {row['apart_grey']:.1f} grey levels on average"


def explanation_sheet(shown: Sequence[tuple[Mapping[str, Any], bytes]], output: str) -> bytes:
    """The pictures side by side, each with its verdict, as the bytes of a picture file of the kind that `output` names.

    Raises UsageError for a kind that Pillow cannot write.
    """
    form = Image.registered_extensions().get("." + output.rpartition(".")[2].lower())
    if form is None:
        raise UsageError(f"{output}: cannot write a picture of this kind: use .png or .jpg")
    buffer = io.BytesIO()
    contact_sheet([_card(row, picture) for row, picture in shown], columns=min(3, len(shown))).save(buffer, form)
    return buffer.getvalue()


def _card(row: Mapping[str, Any], picture: bytes) -> SheetSample:
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image)
    role = "stands for its cluster" if row["tile_id"] == row["canonical"] else f"cluster of {row['canonical']}"
    title = f"{row['tile_id']}\n{'in' if row['selected'] else 'out'} · {row['reason']} · {row['split'] or 'no split'}"
    return SheetSample(pixels, title, footer=f"{row['sensor']} · {role}")
