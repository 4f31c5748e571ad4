"""The annotations that no tile carries, and the times that scenes lack, as rows of the table `rejects`.

One idea: what was rejected is known when a build is planned, from the annotation files and the windows of their scenes, so
that a plan and a build count the same.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rsflow.annotations.joining.whole_picture_labels import reject_split_labels
from rsflow.lake.receipts import reject_row
from rsflow.planning.plan import Plan, picture_of
from rsflow.planning.sources.zoom_scales import scale_of, stored_scene_id
from rsflow.readers import GRID
from rsflow.readers.listing.acquisition_time import missing_time
from rsflow.records import OVERVIEW, Reject
from rsflow.spatial.geometry import Window
from rsflow.stage import fingerprint
from rsflow.stages.label.cut_scenes import main_file


def annotation_rejects(plan: Plan) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """(source, unit, REJECTS rows) of every source of whose annotations or times something is lost."""
    found, lost = [], lost_annotations(plan)
    for scene in plan.files.values():
        if scale_of(scene) is None and (reject := missing_time(scene)):
            lost.setdefault(scene.source, []).append(reject)
    for source, rejects in plan.not_scenes.items():
        lost.setdefault(source, []).extend(rejects)
    for source, rejects in sorted(lost.items()):
        place = {"scene_id": "", "source": source}
        rows = [reject_row(place, "annotations", reject, rows=1) for reject in rejects]
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
    counted: set[tuple[str, str]] = set()
    whole = {stored_scene_id(name) for name in windows if scale_of(plan.files[name]) == OVERVIEW}
    for name, mine in sorted(windows.items()):
        scene = plan.files[name]
        picture = picture_of(scene, plan.annotated.get(scene.source))
        # A scene on several ground grids, or at several scales, is several scenes with one picture.
        if picture is None or stored_scene_id(name) in whole or (scene.source, main_file(scene)) in counted:
            continue
        counted.add((scene.source, main_file(scene)))
        grid = scene.options.get(GRID)
        if not (grid and grid["is_whole"]):
            found[scene.source].extend(reject_split_labels(picture, [] if grid else mine))
    return found
