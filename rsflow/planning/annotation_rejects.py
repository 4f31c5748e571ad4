"""The annotations that no tile carries, as rows of the table `rejects`.

One idea: what was rejected is known when a build is planned, from the annotation files and the windows of their scenes, so
that a plan and a build count the same.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Any

from rsflow.annotations.whole_picture_labels import reject_split_labels
from rsflow.planning.plan import Plan, picture_of
from rsflow.records import Reject
from rsflow.spatial.geometry import Window
from rsflow.stage import fingerprint


def annotation_rejects(plan: Plan) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """(source, unit, REJECTS rows) of every source whose annotations hold something that cannot be used."""
    found = []
    for source, rejects in lost_annotations(plan).items():
        base = {"scene_id": "", "source": source, "step": "annotations", "rows": 1}
        rows = [{**base, **dataclasses.asdict(reject)} for reject in rejects]
        if rows:
            found.append((source, fingerprint("annotations", rows), rows))
    return found


def lost_annotations(plan: Plan) -> dict[str, list[Reject]]:
    """What of every source's annotations is no tile's, by source in the order of their names."""
    windows: dict[str, list[Window]] = defaultdict(list)
    for unit in plan.units:
        windows[unit.scene_id] += [window for _, window in unit.windows]
    found = {source: list(annotated.rejects) for source, annotated in sorted(plan.annotated.items())}
    for source, rejects in sorted(plan.ground.rejects.items()):
        found.setdefault(source, []).extend(rejects)
    for name, mine in sorted(windows.items()):
        scene = plan.files[name]
        if picture := picture_of(scene, plan.annotated.get(scene.source)):
            found[scene.source].extend(reject_split_labels(picture, mine))
    return found
