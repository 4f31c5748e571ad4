"""How far a stream went, as a small dict, and why one that does not fit is refused.

One idea: the order is a pure function of snapshot, settings and epoch, so a state need only say which these were and how many
positions all ranks together have behind them. It is the same on every rank after the same number of batches, and any number of
ranks and workers goes on from it. Only a state taken inside a batch, or by one DataLoader worker for itself (as torchdata's
StatefulDataLoader does), also counts what that one consumer took; that fits the same ranks, workers and batch size alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.content import Pinned, Wish
from rsflow.shards.format import canonical_json

FORMAT = "rsflow-stream-1"

Crew = tuple[int, int, int]  # world size, workers of a rank, batch size


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where consumers begin: all positions before `position` of the iteration that began with `epoch` are done; of its share
    of the rest each has taken `taken` samples, dealt to `crew`."""

    epoch: int
    position: int = 0
    taken: int = 0
    crew: Crew = (0, 0, 0)


def spelled(cursor: Cursor, pinned: Sequence[Pinned], settings: Mapping[str, str]) -> dict[str, Any]:
    """The state: plain JSON of a few hundred bytes."""
    snapshots = [[one.name, one.digest] for one in pinned]
    fields = {name: list(value) if name == "crew" else value for name, value in asdict(cursor).items()}
    if not cursor.taken:
        del fields["taken"], fields["crew"]
    return {"format": FORMAT, "snapshots": snapshots, "settings": dict(settings), **fields}


def parsed(state: Mapping[str, Any]) -> tuple[Cursor, list[tuple[str, str]]]:
    """(the cursor, name and digest of each snapshot). ConfigError where it is no state of a stream."""
    try:
        if state["format"] != FORMAT:
            raise ConfigError(f"state: format {state['format']!r}, expected {FORMAT!r}")
        size, workers, batch = state.get("crew", (0, 0, 0))
        numbers = (state["epoch"], state["position"], state.get("taken", 0), size, workers, batch)
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ConfigError(f"state: found {numbers}, expected whole numbers from 0 on")
        cursor = Cursor(*numbers[:3], (size, workers, batch))
        return cursor, [(str(name), str(digest)) for name, digest in state["snapshots"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"state: is none of a stream ({error!r})") from error


def refuse_others(state: Mapping[str, Any], pinned: Sequence[Pinned], settings: Mapping[str, str]) -> None:
    """SnapshotError where the state is of another snapshot, ConfigError where it is of a stream with other settings."""
    _, snapshots = parsed(state)
    if [digest for _, digest in snapshots] != [one.digest for one in pinned]:
        found = ", ".join(f"snapshot {one.name} ({one.digest})" for one in pinned)
        wanted = ", ".join(f"snapshot {name} ({digest})" for name, digest in snapshots)
        raise SnapshotError(
            f"the state is of {wanted}, the stream reads {found}: another snapshot has another order. "
            f"Open the one of the state by its manifest: {', '.join(f'…/snapshots/{name}.json' for name, _ in snapshots)}"
        )
    others = state["settings"] if isinstance(state.get("settings"), Mapping) else {}
    if differ := sorted(name for name in settings if others.get(name) != settings[name]):
        raise ConfigError(f"the state is of a stream with another {', '.join(differ)}: give the same, or start anew")


def fingerprints(wish: Wish, seed: int, width: int) -> dict[str, str]:
    """A short digest of each setting that the order depends on, so that a refusal can name those that differ."""
    mix = wish.mix
    values = {
        "seed": seed,
        "shuffle": width,
        "split": wish.split,
        "tasks": _sorted(wish.tasks),
        "sensors": _sorted(wish.sensors),
        "mix": [mix.by, mix.unit, [[start, dict(weights)] for start, weights in mix.schedule()]] if mix else None,
        "max_samples": wish.max_samples,
        "oversample": wish.oversample,
    }
    return {name: hashlib.blake2b(canonical_json(value), digest_size=4).hexdigest() for name, value in values.items()}


def _sorted(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else sorted({names} if isinstance(names, str) else set(names))
