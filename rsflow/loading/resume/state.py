"""The progress of a stream as a small dict, and the checks of one that is loaded.

One idea: the order is a pure function of snapshot, settings and epoch, so a state names these and the number of positions
that all ranks together have consumed. It is the same on every rank after the same number of batches, and any number of ranks
and workers goes on from it. Only a state taken inside a batch, or by one DataLoader worker for itself (as torchdata's
StatefulDataLoader does), also counts what that one consumer took; that can be loaded with the same ranks, workers and batch
size only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.number_values import parse_integer
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.sampling.stream_content import SnapshotReference, StreamRequest
from rsflow.shards.format import canonical_json

FORMAT = "rsflow-stream-1"
MAX_EPOCHS = 1 << 31
_MAX_COUNT = 1 << 62

WorkerTopology = tuple[int, int, int]  # world size, workers of a rank, batch size


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where consumers begin: all positions before `position` of the iteration that began with `epoch` are done; of its share
    of the rest each has taken `taken` samples, shared out by `topology`."""

    epoch: int
    position: int = 0
    taken: int = 0
    topology: WorkerTopology = (0, 0, 0)


def encode_state(
    cursor: Cursor, pinned: Sequence[SnapshotReference], settings: Mapping[str, str], repeat: int | None = 1
) -> dict[str, Any]:
    """The state: plain JSON of a few hundred bytes. `repeat`: epochs of the iteration, None: without end."""
    snapshots = [[one.name, one.digest] for one in pinned]
    fields = {name: list(value) if name == "topology" else value for name, value in asdict(cursor).items()}
    if not cursor.taken:
        del fields["taken"], fields["topology"]
    return {"format": FORMAT, "snapshots": snapshots, "settings": dict(settings), **fields, "repeat": repeat}


def parse_state(state: Mapping[str, Any]) -> tuple[Cursor, list[tuple[str, str]]]:
    """(the cursor, name and digest of each snapshot). ConfigError where it is no state of a stream."""
    if not isinstance(state, Mapping):
        raise ConfigError(f"state: is none of a stream (found {state!r})")
    try:
        if not isinstance(state["format"], str) or state["format"] != FORMAT:
            raise ConfigError(f"state: format {state['format']!r}, expected {FORMAT!r}")
        size, workers, batch = state.get("topology", state.get("crew", (0, 0, 0)))  # `crew`: of an earlier rsflow
        snapshots = [(name, digest) for name, digest in state["snapshots"]]
        if not all(isinstance(name, str) and name.isdecimal() and isinstance(digest, str) for name, digest in snapshots):
            raise ValueError(f"snapshots {snapshots}, expected a number and a digest of each")
        numbers = {"epoch": state["epoch"], "position": state["position"], "taken": state.get("taken", 0)}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"state: is none of a stream ({error!r})") from error
    most = {"epoch": MAX_EPOCHS}
    epoch, position, taken = (
        parse_integer(f"state: {name}", value, most.get(name, _MAX_COUNT)) for name, value in numbers.items()
    )
    topology = [parse_integer("state: topology", value, _MAX_COUNT) for value in (size, workers, batch)]
    return Cursor(epoch, position, taken, (topology[0], topology[1], topology[2])), snapshots


def resolve_cursor(cursor: Cursor, state: Mapping[str, Any], samples: int, repeat: int | None) -> Cursor:
    """The cursor of the state in a stream of epochs of `samples` that takes `repeat` of them (None: endlessly many).

    An iteration of several epochs may go on in one of another number: a position counts through them all. ConfigError for a
    position beyond the end of the state's iteration.
    """
    epochs = state.get("repeat", repeat)
    if epochs is not None:
        end = parse_integer("state: repeat", epochs, _MAX_COUNT, 1) * samples
        if cursor.position + cursor.taken > end:
            raise ConfigError(
                f"state: found position {cursor.position} and {cursor.taken} taken, expected at most {end} in all, as many as "
                f"an iteration of {epochs} epochs has: the state is of a stream with another repeat, or was changed"
            )
    if epochs == repeat and cursor.position <= samples * (repeat or _MAX_COUNT):
        return cursor
    past, position = divmod(cursor.position, samples)
    return replace(cursor, epoch=cursor.epoch + past, position=position)


def check_state_matches(state: Mapping[str, Any], pinned: Sequence[SnapshotReference], settings: Mapping[str, str]) -> None:
    """SnapshotError where the state is of another snapshot, ConfigError where it is of a stream with other settings."""
    _, snapshots = parse_state(state)
    if [digest for _, digest in snapshots] != [one.digest for one in pinned]:
        found = ", ".join(f"snapshot {one.name} ({one.digest})" for one in pinned)
        expected = ", ".join(f"snapshot {name} ({digest})" for name, digest in snapshots)
        raise SnapshotError(
            f"the state is of {expected}, the stream reads {found}: another snapshot has another order. "
            f"Open the one of the state by its manifest: {', '.join(f'…/snapshots/{name}.json' for name, _ in snapshots)}"
        )
    others = state["settings"] if isinstance(state.get("settings"), Mapping) else {}
    if differ := sorted(name for name in settings if others.get(name) != settings[name]):
        raise ConfigError(f"the state is of a stream with another {', '.join(differ)}: give the same, or start anew")


def fingerprint_settings(request: StreamRequest, seed: int, width: int) -> dict[str, str]:
    """A short digest of each setting that the order depends on, so that a refusal can name those that differ."""
    values = {
        "seed": seed,
        "shuffle": width,
        "split": request.split,
        "tasks": _sorted(request.tasks),
        "sensors": _sorted(request.sensors),
        "mix": _proportions(request.mix) if request.mix else None,
        "max_samples": request.max_samples,
        "oversample": request.oversample,
    }
    return {name: hashlib.blake2b(canonical_json(value), digest_size=4).hexdigest() for name, value in values.items()}


def _proportions(mix: Mix) -> list[Any]:
    """What the order depends on: 1:2 and 1.0:2.0 are the same mix."""
    steps = [[start, dict(zip(mix.names(), row, strict=True))] for start, row in mix.integer_weights()]
    return [mix.by, mix.unit, steps]


def _sorted(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else sorted({names} if isinstance(names, str) else set(names))
