"""Requested and missing work: the units of every scene under the present recipes, compared with the marks.

One idea: wanted units are a pure function of the configuration and the files; done units are the marks of the lake; the
difference is the work. So a second build finds nothing to do, one more scene adds its own units, and a changed setting adds
the units that depend on it.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from rsflow.annotations import AnnotatedPicture, JoinedSet
from rsflow.config.settings import BuildConfig, Source
from rsflow.errors import ConfigError
from rsflow.labellers import from_settings
from rsflow.lake.receipts import completed_units, count_failures
from rsflow.lake.tables import Lake
from rsflow.planning import recipe
from rsflow.planning.chosen_tiles import ChosenTiles, read_chosen_tiles
from rsflow.planning.sources.ground_layers import GroundLayers, ground_layers
from rsflow.planning.sources.joined_annotations import joined_sources
from rsflow.planning.sources.layer_overlap import GroundLayer
from rsflow.planning.sources.placed_scenes import scene_windows
from rsflow.planning.sources.scenes import list_all_scenes, probe_scenes
from rsflow.records import Label, Reject, SceneFiles
from rsflow.review.resolve import Decisions, resolve
from rsflow.schemas import LABEL_WORK, label_row
from rsflow.schemas.rows import filter_by_values
from rsflow.spatial.geometry import Window
from rsflow.stage import ModelStage, Stage, fingerprint
from rsflow.stages.generate.generate_tiles import GenerateTiles
from rsflow.stages.group.group_cells import GroupCells
from rsflow.stages.label.cut_scenes import main_file
from rsflow.tiles.grid import group_windows

CAUSES_SHOWN = 5  # of what is undone


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the label step. `windows` are (position in the scene, window); none where the scene could not be opened.

    `label_fingerprint`: what later steps name it by. It is the id unless raw bands are kept, which no later step reads.
    """

    id: str
    scene_id: str
    source: str
    windows: tuple[tuple[int, Window], ...]
    bytes: int
    label_fingerprint: str


@dataclass(frozen=True)
class Plan:
    """Everything that a build needs to know before it starts; nothing in the lake was changed to make it, but for copies of
    layers (rsflow.ground.layer_store), which are a cache."""

    scenes: pa.Table  # SCENES, as the sources are now
    files: dict[str, SceneFiles]
    annotated: dict[str, JoinedSet]  # by source
    ground: GroundLayers
    units: tuple[Unit, ...]  # wanted, in order of scene and window
    recipes: dict[str, recipe.Recipe]  # label recipes by source
    predictors: dict[str, tuple[ModelStage, ...]]  # by source: its models in their order, where there are any
    merge: Stage
    transfer: Stage | None  # what passes labels between tiles of a cell, where that is asked for
    instruct: recipe.Recipe
    generator: GenerateTiles | None  # the model that writes instructions
    group: Stage
    compare: Stage | None  # what makes instructions of groups, where any task of theirs is asked for
    group_cells: GroupCells | None  # what groups tiles of the ground grid, where groups are asked for
    group_zoom: Stage | None  # what groups the scales of large scenes, where these are asked for
    marks: pa.Table  # of the lake, one per finished unit
    before: dict[str, str] = field(default_factory=dict)  # fingerprints of the scenes that the lake knew
    retry_rejects: bool = False
    chosen: ChosenTiles | None = None  # what the generator is asked about; None: all tiles
    undone: dict[str, str] = field(default_factory=dict)  # by scene or source that could not be probed or listed: why
    not_scenes: dict[str, list[Reject]] = field(default_factory=dict)  # by source: items that others replace
    decisions: Decisions = field(default_factory=Decisions)  # of reviewers, that change anything

    @property
    def models(self) -> list[ModelStage]:
        """All models of the build, in the order of their steps and sources; equal ones may come twice."""
        return [
            *(stage for stages in self.predictors.values() for stage in stages),
            *([self.generator] if self.generator else []),
        ]

    @property
    def done(self) -> set[str]:
        """Ids of finished units; with `retry_rejects`, not those of `failed`."""
        return set(self.marks["unit"].to_pylist()) - self.failed

    @property
    def failed(self) -> set[str]:
        """With `retry_rejects`: units that rejected their scene, and those of models that did not do all of their work."""
        if not self.retry_rejects:
            return set()
        bad = np.asarray(self.marks["scene_rejected"], dtype=np.bool_) | (count_failures(self.marks) > 0)
        return set(self.marks.filter(pa.array(bad))["unit"].to_pylist())

    @property
    def missing(self) -> list[Unit]:
        done = self.done
        return [unit for unit in self.units if unit.id not in done]


def make_plan(
    built: BuildConfig,
    lake: Lake | None,
    retry_rejects: bool = False,
    on_scene: Callable[[int], None] = lambda total: None,
    keep: bool = False,
) -> Plan:
    """List and probe all sources and derive the wanted units. ConfigError where a source is empty or annotations fit none.

    `keep`: what an API of scenes gives is kept in the lake, so that the next run asks for what is new."""
    from rsflow.lake.delta.formats import TABLES

    known = lake.read("scenes") if lake else TABLES["scenes"].empty_table()
    listed = list_all_scenes(built, lake.root if lake else None, keep)
    scenes, files, undone = probe_scenes(built, listed.scenes, known, retry_rejects, on_scene)
    undone |= listed.unanswered
    rows = scenes.to_pylist()
    annotated = joined_sources(built, rows, files, all_known=not undone)
    ground = ground_layers(built, rows, files, lake.root if lake else None)
    for source in built.sources:
        _check_bands(source, rows)
    recipes = {source.name: recipe.label_recipe(built, source) for source in built.sources}
    prints = {name: (made.fingerprint, made.label_fingerprint) for name, made in recipes.items()}
    units = [
        unit
        for row in rows
        for unit in units_of(
            built,
            row,
            files[row["scene_id"]],
            annotated.get(row["source"]),
            prints[row["source"]],
            ground.of_scene.get(row["scene_id"], ()),
        )
    ]
    return Plan(
        scenes,
        files,
        annotated,
        ground,
        tuple(units),
        recipes,
        {source.name: stages for source in built.sources if (stages := recipe.predict_stages(built, source))},
        recipe.merge_stage(built),
        recipe.transfer_stage(built),
        recipe.instruct_recipe(built),
        recipe.generate_stage(built),
        recipe.group_stage(built),
        recipe.compare_stage(built),
        recipe.group_cells_stage(built),
        recipe.group_zoom_stage(built),
        completed_units(lake) if lake else TABLES["runs"].empty_table(),
        dict(zip(known["scene_id"].to_pylist(), known["fingerprint"].to_pylist(), strict=True)),
        retry_rejects,
        (read_chosen_tiles(lake.root) if lake else ChosenTiles()) if built.asks_selected else None,
        undone,
        listed.rejects,
        resolve(lake.read("reviews").to_pylist()) if lake else Decisions(),
    )


def units_of(
    built: BuildConfig,
    row: dict[str, Any],
    scene: SceneFiles,
    annotated: JoinedSet | None,
    recipe_prints: tuple[str, str],
    layers: Sequence[GroundLayer] = (),
) -> list[Unit]:
    """The units of one SCENES row: groups of its windows, each named by all that its output depends on.

    `recipe_prints`: of the whole recipe, and of what later steps rest on.
    """
    picture = picture_of(scene, annotated)
    options = scaled(scene, picture).options
    same, columns = [options, scene.sensor, row["licence"], row["fingerprint"]], annotation_columns(annotated, picture)
    truth = [columns, list(layers)] if layers else [columns]
    known = {each: fingerprint([*same, each], *truth) for each in dict.fromkeys(recipe_prints)}
    depends, label_depends = (known[each] for each in recipe_prints)
    if row["probe_reason"]:
        name = fingerprint(row["scene_id"], depends, "probe")
        return [Unit(name, row["scene_id"], row["source"], (), 0, name)]
    pixel_bytes = np.dtype(row["dtype"]).itemsize * len(row["bands"])
    windows = scene_windows(row, scene, built.tiles)
    units = []
    for group in group_windows(windows, pixel_bytes, built.tiles.unit_mb):
        chosen = tuple((index, windows[index]) for index in group)
        size = pixel_bytes * sum(window.height_px * window.width_px for _, window in chosen)
        places = [[index, window.row_off, window.col_off, window.height_px, window.width_px] for index, window in chosen]
        ids = {each: fingerprint(row["scene_id"], each, places) for each in dict.fromkeys((depends, label_depends))}
        units.append(Unit(ids[depends], row["scene_id"], row["source"], chosen, size, ids[label_depends]))
    return units


def label_work(plan: Plan, units: list[Unit]) -> pa.Table:
    """LABEL_WORK rows of these units."""
    scenes = filter_by_values(plan.scenes, "scene_id", sorted({unit.scene_id for unit in units}))
    known = {row["scene_id"]: row for row in scenes.to_pylist()}
    rows = []
    for unit in units:
        scene, row = plan.files[unit.scene_id], known[unit.scene_id]
        annotated = plan.annotated.get(unit.source)
        picture = picture_of(scene, annotated)
        rows.append(
            {
                "unit": unit.id,
                "scene_id": unit.scene_id,
                "source": unit.source,
                "sensor": scene.sensor,
                "licence": row["licence"],
                "scene": json.dumps(dataclasses.asdict(scaled(scene, picture))),
                "stats_key": row["stats_key"],
                "windows": [{"index": index, **dataclasses.asdict(window)} for index, window in unit.windows],
                **annotation_columns(annotated, picture),
                "ground": json.dumps([layer.to_row() for layer in plan.ground.of_scene.get(unit.scene_id, ())]),
            }
        )
    return pa.Table.from_pylist(rows, schema=LABEL_WORK)


def picture_of(scene: SceneFiles, annotated: JoinedSet | None) -> AnnotatedPicture | None:
    """The annotations of a scene in its pixels, where its source has any and they were made on a picture of its size."""
    return annotated.pictures.get(main_file(scene)) if annotated else None


def scaled(scene: SceneFiles, picture: AnnotatedPicture | None) -> SceneFiles:
    """The scene with the ground sample distance that its annotation states, where the source's settings state none."""
    if picture is None or picture.gsd_m is None:
        return scene
    return dataclasses.replace(scene, options={**scene.options, "annotated_gsd_m": picture.gsd_m})


def annotation_columns(annotated: JoinedSet | None, picture: AnnotatedPicture | None) -> dict[str, Any]:
    """`labels` in scene pixels, and the `vocabulary` of what is annotated without gaps in this picture."""
    if picture is None or annotated is None:
        return {"labels": [], "vocabulary": [], "source_split": None}
    return {
        "labels": [label_row(label) for label in picture.labels if _holds(label, annotated, picture)],
        "vocabulary": _vocabulary(annotated, picture),
        "source_split": picture.split,
    }


def _holds(label: Label, annotated: JoinedSet, picture: AnnotatedPicture) -> bool:
    """Whether a label is trusted: changes were not searched for everywhere where the set or the picture is incomplete."""
    if label.kind != "compared" or not label.category:
        return True
    return picture.complete and label.category in annotated.categories


def _vocabulary(annotated: JoinedSet, picture: AnnotatedPicture) -> list[str]:
    if not picture.complete:
        return []
    return [category for category in annotated.categories if picture.vocabulary is None or category in picture.vocabulary]


def _check_bands(source: Source, rows: list[dict[str, Any]]) -> None:
    """ConfigError where a labeller of the source needs a band that one of its scenes lacks."""
    mine = [row for row in rows if row["source"] == source.name and not row["probe_reason"]]
    kinds = {tuple(row["bands"]): row["scene_id"] for row in reversed(mine)}
    for settings in source.labellers:
        labeller = from_settings(settings)
        for bands, scene_id in kinds.items():
            if fault := labeller.missing(bands, source.sensor):
                raise ConfigError(f"sources.{source.name}: {fault} ({scene_id}): name its bands under scenes.bands")


def undone_text(what: str, total: int, undone: dict[str, str]) -> str:
    """The message about scenes that faults of the environment left undone: counts by cause."""
    causes = Counter(undone.values())
    lines = "\n".join(f"  {count:6}  {cause}" for cause, count in causes.most_common(CAUSES_SHOWN))
    balance = f"{what} {total:,} = {total - len(undone):,} probed + {len(undone):,} undone"
    return (
        f"{balance}, for faults outside of the data:\n"
        f"{lines}\nNone of them is rejected: remove the cause and run the same command again, it continues with them"
    )
