"""What a unit depends on: the stages of its source with their settings, identified by fingerprints.

One idea: the label recipe of a source is the tuple of its stages; the instruct recipe is one stage for all sources. A unit's id
hashes its recipe, so a changed setting gives other ids for just the units that depend on it, and these are missing.

Names that point into the tables of higher floors are checked here, when the configuration loads, not when a worker trips.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rsflow import instructions, labellers, readers
from rsflow.annotations import ANNOTATIONS, check_options
from rsflow.config import settings as config
from rsflow.config.annotation_settings import GROUND_FORMATS
from rsflow.config.settings import BuildConfig, Source
from rsflow.curation.balance.quotas import check_quotas
from rsflow.curation.splits.ground import region_names
from rsflow.errors import ConfigError
from rsflow.ground.layer_store import check_vector_options
from rsflow.instructions.languages import check_languages
from rsflow.labellers import ModelLabeller
from rsflow.planning.sources.raster_layers import check_raster_options
from rsflow.plugins import PluginTable
from rsflow.readers.products import PRODUCTS
from rsflow.sensors import SENSOR_NAMES
from rsflow.stage import ModelStage, Stage, fingerprint
from rsflow.stages.generate.generate_tiles import GenerateTiles
from rsflow.stages.group.group_cells import GroupCells
from rsflow.stages.group.group_tiles import GroupTiles
from rsflow.stages.group.group_zoom import GroupZoom
from rsflow.stages.group.instruct_groups import InstructGroups
from rsflow.stages.instruct.instruct_tiles import InstructTiles
from rsflow.stages.label.annotate_tiles import AnnotateTiles
from rsflow.stages.label.cut_scenes import CutScenes
from rsflow.stages.label.encode_tiles import EncodeTiles
from rsflow.stages.label.hide_small_objects import HideSmallObjects
from rsflow.stages.label.keep_bands import KeepBands
from rsflow.stages.label.label_ground import LabelGround
from rsflow.stages.label.label_tiles import LabelTiles
from rsflow.stages.label.render_tiles import RenderTiles
from rsflow.stages.label.screen_tiles import ScreenTiles
from rsflow.stages.label.write_tiles import WriteTiles
from rsflow.stages.predict.merge_labels import MergeLabels
from rsflow.stages.predict.predict_tiles import PredictTiles
from rsflow.stages.transfer.transfer_labels import TransferLabels


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stages in their order; `output` writes what they made, and nothing depends on how. `plugins`: other packages, with their
    versions, whose readers, formats or labellers the source uses."""

    stages: tuple[Stage, ...]
    output: tuple[Stage, ...] = ()
    plugins: tuple[str, ...] = ()

    @property
    def all_stages(self) -> tuple[Stage, ...]:
        return (*self.stages, *self.output)

    @property
    def fingerprint(self) -> str:
        return fingerprint(list(self.stages), *self.plugins)

    @property
    def label_fingerprint(self) -> str:
        """The fingerprint without stages that only shards take from: neither labels nor pictures depend on them."""
        return fingerprint([stage for stage in self.stages if not isinstance(stage, KeepBands)], *self.plugins)


def load(path: str, overrides: Collection[str] = ()) -> BuildConfig:
    """Read and check a configuration whole: values, and every name that refers to a reader, format, labeller or task."""
    built = config.load(path, list(overrides))
    for number, source in enumerate(built.sources):
        _check_source(source, f"{path}: sources.{number}")
    try:
        GenerateTiles.of(built)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    for task in built.instructions.tasks:
        check_known(task, {**instructions.TASKS, **instructions.GROUP_TASKS}, f"{path}: instructions.tasks", "task")
    try:
        check_languages(built.instructions)
        check_quotas(_keys(built), instructions.ALL_TASKS, SENSOR_NAMES, _values(built))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return built


def _values(built: BuildConfig) -> dict[str, list[str]]:
    """The names of all sources and regions, for the keys of quotas."""
    regions = region_names(built.select.regions, built.select.region_deg)
    return {"source": [source.name for source in built.sources], "region": regions}


def _keys(built: BuildConfig) -> list[str]:
    """Every key of quotas and balance, each once."""
    balance = built.select.balance
    return list(dict.fromkeys([*built.select.quotas, *(balance.keys() if balance else [])]))


def label_recipe(built: BuildConfig, source: Source) -> Recipe:
    """The stages that turn this source's scenes into tiles and labels, up to the writing of files."""
    created = [labellers.from_settings(settings) for settings in source.labellers]
    named = [LabelTiles(labeller) for labeller in created if not isinstance(labeller, ModelLabeller)]
    return Recipe(
        (
            CutScenes(built.tiles, built.render),
            RenderTiles(),
            ScreenTiles(built.screen),
            AnnotateTiles(built.labels.min_visibility),
            *([LabelGround(built.labels.min_visibility, built.root)] if source.ground_layers else []),
            *([HideSmallObjects(built.zoom.min_visible_px)] if built.zoom else []),
            *named,
            *([KeepBands()] if built.render.raw_bands else []),
            EncodeTiles(built.render.format, built.render.quality),
        ),
        (WriteTiles(built.root),),
        _plugins(source),
    )


def _plugins(source: Source) -> tuple[str, ...]:
    """The packages and versions that the source's reader, product, annotation formats and labellers come from, but rsflow."""
    used = [
        readers.READERS.provider(source.reader),
        PRODUCTS.provider(source.scenes.product or ""),
        *(ANNOTATIONS.provider(entry.format) for entry in source.annotation_entries),
        *(labellers.LABELLERS.provider(settings["name"]) for settings in source.labellers),
    ]
    return tuple(sorted({provider for provider in used if provider}))


def predict_stages(built: BuildConfig, source: Source) -> tuple[ModelStage, ...]:
    """The models that predict labels of this source's tiles, in the order of its labellers."""
    created = [labellers.from_settings(settings) for settings in source.labellers]
    return tuple(PredictTiles(labeller, built.root) for labeller in created if isinstance(labeller, ModelLabeller))


def merge_stage(built: BuildConfig) -> Stage:
    return MergeLabels(built.labels.min_visibility)


def transfer_stage(built: BuildConfig) -> Stage | None:
    """What passes labels between the tiles of a cell of the ground grid, where the configuration asks for it."""
    return TransferLabels(built.transfer, built.labels.min_visibility, built.root) if built.transfer else None


def generate_stage(built: BuildConfig) -> GenerateTiles | None:
    """The model that writes instructions, where the configuration asks for one."""
    return GenerateTiles.of(built)


def group_stage(built: BuildConfig) -> Stage:
    return GroupTiles(built.root)


def group_cells_stage(built: BuildConfig) -> GroupCells | None:
    """What groups the tiles of a cell of the ground grid, where the configuration asks for groups."""
    return GroupCells(built.groups, built.root) if built.groups else None


def group_zoom_stage(built: BuildConfig) -> GroupZoom | None:
    """What groups the scales of large scenes, where the configuration asks for them."""
    return GroupZoom(built.zoom.samples_per_scene, built.seed) if built.zoom else None


def compare_stage(built: BuildConfig) -> Stage | None:
    """What makes instructions of several pictures, where the configuration asks for one of their tasks."""
    tasks = built.instructions.tasks
    is_requested = not tasks or not {*tasks}.isdisjoint(instructions.GROUP_TASKS)
    return InstructGroups(built.instructions, built.labels, built.seed) if is_requested else None


def instruct_recipe(built: BuildConfig) -> Recipe:
    return Recipe((InstructTiles(built.instructions, built.labels, built.seed),))


def check_known(name: str, table: Collection[str], where: str, what: str) -> None:
    """ConfigError that lists the known names when `name` is no key of the table."""
    if name not in table:
        close = difflib.get_close_matches(name, list(table), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"{where}: unknown {what} {name!r}; {hint}known: {', '.join(sorted(table))}")


def _load_row(table: PluginTable[Any], name: str, where: str) -> None:
    """Import a row that another package registers, so that what is wrong with it is an error of the configuration."""
    try:
        table[name]
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _check_source(source: Source, where: str) -> None:
    check_known(source.reader, {"auto", *readers.READERS}, f"{where}.reader", "reader")
    if source.reader != "auto":
        _load_row(readers.READERS, source.reader, f"{where}.reader")
    if source.scenes.product is not None:
        check_known(source.scenes.product, PRODUCTS, f"{where}.scenes.product", "product")
        _load_row(PRODUCTS, source.scenes.product, f"{where}.scenes.product")
    for number, entry in enumerate(source.annotation_entries):
        place = f"{where}.annotations" + (f".{number}" if len(source.annotation_entries) > 1 else "")
        check_known(entry.format, {*ANNOTATIONS, *GROUND_FORMATS}, f"{place}.format", "annotation format")
        if entry.on_ground:
            (check_vector_options if entry.format == "vector" else check_raster_options)(entry, place)
        else:
            _load_row(ANNOTATIONS, entry.format, f"{place}.format")
            check_options(entry)
    for number, settings in enumerate(source.labellers):
        try:
            labeller = labellers.from_settings(settings)
        except ConfigError as error:
            raise ConfigError(f"{where}.labellers.{number}: {error}") from error
        if source.sensor not in labeller.sensors:
            fits = ", ".join(sorted(labeller.sensors))
            raise ConfigError(f"{where}.labellers.{number}: {settings['name']} is for {fits}, the source is {source.sensor}")
