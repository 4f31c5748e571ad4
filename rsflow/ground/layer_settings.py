"""What `annotations.options` of a vector layer may say: which features count, as what, when, and how exactly they lie.

One idea: a rule turns attributes into one category and says what kind of thing its features are. "object": each feature is one
thing that can be counted. "area": ground of which a share is covered, and where one feature ends says nothing ("forest").
"line": an area of a given width, whose length counts too ("road").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Share

FeatureKind = Literal["object", "area", "line"]
OutlineKind = Literal["polygon", "rectangle", "box"]
Metres = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class AttributeCategory:
    """The category is the value of the attribute `from`, renamed by `map`; `default` is that of values which `map` lacks.

    Without `map`, every value is a category of its own ("single_family" reads "single family").
    """

    __pydantic_config__ = STRICT
    attribute: Annotated[str, Field(alias="from", min_length=1)]
    map: dict[str, str] | None = None
    default: str | None = None


@dataclass(frozen=True)
class Rule:
    """`where`: conditions by attribute (rsflow.ground.categories.conditions). `category`: its name, or the attribute that
    holds it.

    `tags: osm` takes category, kind and width from the shipped table of OpenStreetMap tags instead. `kind`: by default "object"
    for polygons and points, "line" for lines. `width_m` is a line's; `diameter_m` that of a point, which without it has no
    extent and is only known to be there. A smaller feature than the minimum areas is no label, and is not denied either:
    nobody can see an object of one pixel.
    """

    __pydantic_config__ = STRICT
    category: str | AttributeCategory | None = None
    where: str | dict[str, Any] = field(default_factory=dict)
    tags: Literal["osm"] | None = None
    kind: FeatureKind | None = None
    width_m: Metres | None = None
    diameter_m: Metres | None = None
    min_area_m2: Metres = 0.0
    min_area_px: Metres = 16.0
    uncertainty_m: Metres | None = None

    def __post_init__(self) -> None:
        if (self.category is None) == (self.tags is None):
            raise ValueError("a rule has either a category or tags: osm")


@dataclass(frozen=True)
class Validity:
    """When features are there: dates (ISO 8601, a year or a month will do), or attributes that hold them; None is unbounded."""

    __pydantic_config__ = STRICT
    since: str | None = None
    until: str | None = None
    since_attribute: str | None = None
    until_attribute: str | None = None


@dataclass(frozen=True)
class Registration:
    """How the misregistration of the layer against each scene is measured (rsflow.ground.registration).

    `search_m`: up to how far it is searched. `correct`: features are moved by a shift that reaches `min_confidence`; where it
    does not, or without `correct`, they stay where they are drawn.
    """

    __pydantic_config__ = STRICT
    search_m: Annotated[float, Field(gt=0)] = 10.0
    min_confidence: Share = 0.5
    correct: bool = True


@dataclass(frozen=True)
class VectorOptions:
    """`layers`: those of each file that are read, by default all. `crs`: beats what the file says. `category`: short for one
    rule without conditions. `id_attribute`: what rejects name features by, where not their number in the file.

    `uncertainty_m`: positional uncertainty of features. `area_of_interest`: a file of polygons within which the layer is
    exhaustive, by default the layer's own extent. `outline`: what an object's outline is; "rectangle" is its minimum rotated
    rectangle; by default the polygon, or only the box where all objects of the layer are drawn as boxes. `name_attribute`:
    whose values texts may use as names; by default features have none. `registration`: whether and how the shift of the layer
    against each scene is measured; by default it is not.
    """

    __pydantic_config__ = STRICT
    layers: tuple[str, ...] = ()
    crs: str | None = None
    category: str | None = None
    rules: tuple[Rule, ...] = ()
    id_attribute: str | None = None
    name_attribute: str | None = None
    uncertainty_m: Metres = 0.0
    validity: Validity = field(default_factory=Validity)
    area_of_interest: str | None = None
    outline: OutlineKind | None = None
    registration: Registration | None = None

    def __post_init__(self) -> None:
        if self.category is not None and self.rules:
            raise ValueError("category is short for one rule: give category or rules, not both")

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        return (Rule(category=self.category),) if self.category is not None else self.rules
