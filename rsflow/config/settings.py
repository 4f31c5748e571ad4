"""The configuration of a build: frozen dataclasses of the same shape as the YAML file.

One idea: nothing is guessed. An unknown key, a wrong type or an impossible value is refused with its path in the file, the
value found and what would be right. pydantic does the checking (strict, on plain dataclasses): it is the best-kept library
for it and already comes with Ray.

`${NAME}` and `${NAME:-default}` in the file are taken from the environment. `a.b=1` on the command line overrides a value.
Names that refer to tables on higher floors (readers, annotation formats, labellers, tasks) are checked by
rsflow.planning.recipe. What `select` may say is in rsflow.config.select_settings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from rsflow.config.annotation_settings import AnnotationEntries
from rsflow.config.annotation_settings import Annotations as Annotations
from rsflow.config.engine_settings import Budget as Budget
from rsflow.config.engine_settings import Engine as Engine
from rsflow.config.generation_settings import Generation
from rsflow.config.group_settings import Groups, Transfer
from rsflow.config.select_settings import Select
from rsflow.config.stac_settings import StacSearch, with_stac_defaults
from rsflow.config.tile_settings import Tiles as Tiles
from rsflow.config.tile_settings import Zoom
from rsflow.config.validation import STRICT, Count, Name, Positive, Share, check, type_adapter
from rsflow.config.yaml_file import read_yaml
from rsflow.files import storage
from rsflow.records import RegionForm
from rsflow.sensors import PixelUnit, SensorName


@dataclass(frozen=True)
class Scenes:
    """Where a source's scenes are and what their pixels mean.

    `files`: paths or globs. With `{band}` in it, a scene is one file per band and `bands` maps each band's name to the text
    that stands for `{band}`; otherwise a file is a scene and `bands` maps names to band numbers from 1. `stac` instead of
    `files`: each item of a catalogue is a scene, and `bands` maps names to assets or to names of bands.
    """

    __pydantic_config__ = STRICT
    files: str | tuple[str, ...] = ()
    bands: dict[str, int | str] = field(default_factory=dict)
    product: str | None = None  # `files` are folders of this kind: bands, units, dates and fill are found by themselves
    backscatter: Literal["sigma0", "beta0", "gamma0"] | None = None  # of a radar product; default sigma0
    rgb: tuple[str, str, str] | None = None  # bands of the picture; default red, green, blue if there
    nodata: Annotated[float, Field(allow_inf_nan=True)] | None = None  # beats what the files say; .nan: no number is fill
    scale: float | dict[str, float] | None = None  # value = scale * stored + offset, for all bands or by name; beats the files
    offset: float | dict[str, float] | None = None
    unit: PixelUnit | None = None  # of the calibrated values; default: the files', else the sensor's
    gsd_m: Annotated[float, Field(gt=0)] | None = None  # beats what the files' georeference says
    acquired_at: str | None = None  # ISO 8601, or a regular expression with one group that is found in the path
    allow_outside: bool = False  # a mosaic (VRT) or catalogue may name files outside of the folder that holds it
    stac: StacSearch | None = None

    def __post_init__(self) -> None:
        if bool(self.files) == bool(self.stac):
            raise ValueError(
                "give `files` (a path or a glob) or `stac`, one of them"
                if self.stac
                else "files is empty: give a path or a glob, or `stac`"
            )
        if self.stac and self.product:
            raise ValueError(f"product is {self.product!r}: an item of `stac` names its files and bands itself; leave it out")
        if self.backscatter and self.product != "sentinel1_grd":
            raise ValueError(
                f"backscatter is {self.backscatter!r}: only product: sentinel1_grd holds tables of it; leave it out"
            )
        per_file = (
            self.stac is not None
            or self.product is not None
            or "{band}" in (self.files if isinstance(self.files, str) else "".join(self.files))
        )
        wrong = [name for name, band in self.bands.items() if not per_file and not (isinstance(band, int) and band >= 1)]
        if wrong:
            raise ValueError(
                f"bands.{wrong[0]} is {self.bands[wrong[0]]!r}: without {{band}} in files it must be a band number from 1"
            )
        absent = [name for name in self.rgb or () if self.bands and name not in self.bands]
        if absent:
            raise ValueError(f"rgb names {absent[0]!r}, which is none of bands ({', '.join(self.bands)})")


@dataclass(frozen=True)
class Published:
    """What a source's makers publish about it, to compare with what is found; what is not known is left out. No build depends
    on it.

    `records`: captions, questions, expressions or boxes, as `tasks` has it. `home`: its own page. `get`: how to come by it.
    `held_out`: those of its own splits that it tests with. `part_of`: the set that several sources make up.
    """

    __pydantic_config__ = STRICT
    tasks: tuple[str, ...] = ()
    pictures: Count | None = None
    records: Count | None = None
    home: str = ""
    get: str = ""
    held_out: tuple[str, ...] = ()
    part_of: str = ""


@dataclass(frozen=True)
class Source:
    """A named collection with a licence (`unknown` where it is not known). `labellers` hold a `name` and that one's settings.

    Without `licence`, scenes of `scenes.stac` have that of their item or its collection. `optional`: a build goes on without it
    where its files are not there, and says so.
    """

    __pydantic_config__ = STRICT
    name: Name
    sensor: SensorName
    licence: str
    scenes: Scenes
    reader: str = "auto"
    annotations: AnnotationEntries | None = None  # one entry or several, of which at most one is in pixels
    labellers: tuple[dict[str, Any], ...] = ()
    optional: bool = False
    published: Published = field(default_factory=Published)

    def __post_init__(self) -> None:
        if not self.licence and self.scenes.stac is None:
            raise ValueError("licence is missing or empty: name it, or write unknown")
        in_pixels = [entry.format for entry in self.annotation_entries if not entry.on_ground]
        if len(in_pixels) > 1:
            raise ValueError(
                f"annotations: {' and '.join(in_pixels)} both describe pictures by name; a source has one such set"
            )

    @property
    def annotation_entries(self) -> tuple[Annotations, ...]:
        found = self.annotations
        return () if found is None else found if isinstance(found, tuple) else (found,)

    @property
    def annotated_set(self) -> Annotations | None:
        """The annotations in pixels of its pictures."""
        return next((entry for entry in self.annotation_entries if not entry.on_ground), None)

    @property
    def ground_layers(self) -> tuple[Annotations, ...]:
        """The annotations in ground coordinates."""
        return tuple(entry for entry in self.annotation_entries if entry.on_ground)


@dataclass(frozen=True)
class Render:
    """`stretch` auto: pictures that are 8 bit and use their range stay as they are, everything else is stretched. reflectance:
    calibrated optical scenes all alike.

    `raw_bands`: a tile also keeps its bands as they were read.
    """

    __pydantic_config__ = STRICT
    stretch: Literal["auto", "percentile", "none", "reflectance"] = "auto"
    low_percent: Annotated[float, Field(ge=0, le=50)] = 2.0
    high_percent: Annotated[float, Field(ge=50, le=100)] = 98.0
    format: Literal["jpg", "png"] = "jpg"
    quality: Annotated[int, Field(ge=1, le=100)] = 92
    raw_bands: bool = field(default=False, compare=False)  # it adds a stage of its own, and changes no picture

    def __post_init__(self) -> None:
        if self.low_percent >= self.high_percent:
            raise ValueError(f"low_percent is {self.low_percent}: it must be below high_percent ({self.high_percent})")


@dataclass(frozen=True)
class Screen:
    """Limits beyond which a tile is rejected. Shares are of its pixels, contrast and sharpness in grey levels (0-255)."""

    __pydantic_config__ = STRICT
    min_valid_share: Share = 0.5
    max_cloud_share: Share = 0.5
    max_bright_share: Share = 1.0
    min_contrast: Annotated[float, Field(ge=0)] = 2.0
    min_sharpness: Annotated[float, Field(ge=0)] = 0.5


@dataclass(frozen=True)
class Labels:
    __pydantic_config__ = STRICT
    min_visibility: Share = 0.3  # an object of which a tile shows less is not its label
    min_quality: Share = 0.5  # a pseudo-label of lower known quality feeds no task
    min_score: Share | dict[str, Share] = 0.5  # or by category; "*" is for those not named, 0.5 where it is missing


@dataclass(frozen=True)
class Instructions:
    """`appearance`: whether texts are about the look of the picture alone (docs/configuration.md)."""

    __pydantic_config__ = STRICT
    tasks: tuple[str, ...] = ()  # empty: all that there are
    max_boxes: Positive = 20  # boxes in one answer; a tile with more of a category gives no list of it
    per_task: Positive = 3  # instructions of one task on one tile
    min_box_px: Annotated[float, Field(ge=0)] = 4.0  # shorter side of a box that is worth naming
    languages: Annotated[tuple[Literal["en", "zh"], ...], Field(min_length=1)] = ("en",)  # of what rules ask, chosen by hash
    names: dict[Literal["zh"], dict[str, str]] = field(default_factory=dict)  # category -> its name in a language
    appearance: Literal["never", "if_nothing_else", "always"] = "if_nothing_else"
    regions: Annotated[tuple[RegionForm, ...], Field(min_length=1)] = ("box", "oriented")  # how questions show an object


@dataclass(frozen=True)
class Shard:
    """`companions`: a sample also holds a picture of its ground by each of these sensors, where one of its split shows it."""

    __pydantic_config__ = STRICT
    target_mb: Annotated[float, Field(gt=0)] = 64.0  # a shard is at most about this large
    companions: tuple[SensorName, ...] = ()
    masks: bool = False  # samples of the task segmentation also hold their masks (COCO RLE), for models that decode [SEG]


@dataclass(frozen=True)
class BuildConfig:
    """The whole file. `root` is the lake: a folder or an `s3://` address."""

    __pydantic_config__ = STRICT
    root: Annotated[str, Field(min_length=1)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    seed: int = 0
    max_reject_share: Share = 0.2  # of scenes; more fails the run
    tiles: Tiles = field(default_factory=Tiles)
    render: Render = field(default_factory=Render)
    screen: Screen = field(default_factory=Screen)
    labels: Labels = field(default_factory=Labels)
    instructions: Instructions = field(default_factory=Instructions)
    groups: Groups | None = None
    transfer: Transfer | None = None
    zoom: Zoom | None = None
    generation: Generation | None = None
    select: Select = field(default_factory=Select)
    shard: Shard = field(default_factory=Shard)
    budget: Budget = field(default_factory=Budget)
    engine: Engine = field(default_factory=Engine)

    @property
    def asks_selected(self) -> bool:
        """Whether a model writes, and of selected tiles only."""
        return self.generation is not None and self.generation.tiles == "selected"

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two sources are named {twice[0]!r}: names must differ")
        if self.groups and self.tiles.grid != "ground":
            raise ValueError(
                "groups are of tiles on one cell of the ground grid: set tiles.grid to ground, or leave groups out"
            )
        if self.transfer and self.tiles.grid != "ground":
            raise ValueError(
                "transfer is between tiles on one cell of the ground grid: set tiles.grid to ground, or leave transfer out"
            )
        if self.groups and self.groups.changes.indices and not self.render.raw_bands:
            raise ValueError("groups.changes.indices are measured on raw bands: set render.raw_bands to true")
        if self.zoom and self.tiles.grid == "ground":
            raise ValueError(
                "zoom is of scenes on their own pixels, tiles.grid is ground: leave one of them out, or build two datasets"
            )
        licences = sorted({source.licence for source in self.sources})
        if self.select.allow_licences and "" not in licences and not set(self.select.allow_licences) & set(licences):
            raise ValueError(f"select.allow_licences allows none of the sources' licences ({', '.join(licences)})")


def load(path: str, overrides: Sequence[str] = ()) -> BuildConfig:
    """Read a configuration file. Raises ConfigError that names file, key, value and what would be right."""
    return check(BuildConfig, with_stac_defaults(read_yaml(path, overrides)), path)


def resolved(config: BuildConfig) -> dict[str, Any]:
    """The configuration as plain JSON values, defaults filled in: what is written beside every output, without secrets."""
    plain = json.dumps(type_adapter(BuildConfig).dump_python(config, mode="json"))
    return dict(json.loads(storage.mask_secrets(plain)))
