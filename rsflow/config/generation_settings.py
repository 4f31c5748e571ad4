"""What a generating model is asked, as `generation:` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from rsflow.config.validation import STRICT, Name, Positive, Share
from rsflow.sensors import SensorName

TextKind = Literal["local", "description", "conversation", "reasoning", "comparison"]


@dataclass(frozen=True)
class PromptFile:
    """A prompt of one's own.

    `kind`: a kind of text whose prompt it replaces, or the name of a new one that is asked as the kind `like` is: from the same
    facts, in the same form, for the same task. `examples`: JSON lines of `prompt` and `answer`. Without `sensors` or `sources`
    it is for all of them; the first that fits counts.
    """

    __pydantic_config__ = STRICT
    kind: Name
    file: Annotated[str, Field(min_length=1)]
    like: TextKind | None = None
    examples: str | None = None
    sensors: tuple[SensorName, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind in get_args(TextKind)) == (self.like is not None):
            what = "takes no `like`: it is a kind of its own" if self.like else "needs `like`: which kind it is asked as"
            raise ValueError(f"prompt of kind {self.kind!r} {what}; known kinds: {', '.join(get_args(TextKind))}")


@dataclass(frozen=True)
class Reader:
    """Who reads texts that came without claims: the rules, a judge model (`engine` holds a `name` and that engine's settings),
    or both, where a judge's verdict needs the rules' agreement unless it rests on claims."""

    __pydantic_config__ = STRICT
    name: Literal["rules", "judge", "both"] = "rules"
    engine: dict[str, Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if (self.engine is None) != (self.name == "rules"):
            raise ValueError(f"name is {self.name}: {'it needs an engine' if self.engine is None else 'it takes no engine'}")


@dataclass(frozen=True)
class Generation:
    """A model that writes beside the rules. `engine` holds a `name` and that engine's settings."""

    __pydantic_config__ = STRICT
    engine: dict[str, Any] = field(compare=False)  # what of it decides a text counts in the engine's own fingerprint
    kinds: Annotated[tuple[str, ...], Field(min_length=1)] = get_args(TextKind)
    prompts: tuple[PromptFile, ...] = field(default=(), compare=False)  # their content counts, where they lie does not
    detail: Literal["auto", "low", "high"] | None = None  # how finely an endpoint is to look at pictures; None: its default
    tiles: Literal["selected", "all"] = field(default="selected", compare=False)  # which tiles the model is asked about
    reader: Reader = field(default_factory=Reader)
    max_objects: Positive = 12  # objects of a tile that get a text of their own
    max_tokens: Positive = 1024  # of one answer
    temperature: Annotated[float, Field(ge=0)] = 0.0  # 0: the likeliest word each time
    max_failed_share: Share = field(default=0.2, compare=False)  # of texts that no usable answer came for; more fails the run

    def __post_init__(self) -> None:
        known = [*get_args(TextKind), *(prompt.kind for prompt in self.prompts)]
        if unknown := [kind for kind in self.kinds if kind not in known]:
            raise ValueError(
                f"kinds: unknown kind {unknown[0]!r}; known kinds: {', '.join(dict.fromkeys(known))}. A new kind has its "
                "prompt under `prompts`"
            )
