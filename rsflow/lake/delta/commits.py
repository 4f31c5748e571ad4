"""Delta's errors and commits: what is tried again, and what each failure is called.

One idea: a commit that fails because another writer got ahead left nothing, so it is simply made again; after a fault of the
network nobody knows, so a writer of rows gives the commit an id and looks for it before adding them again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import tenacity

from rsflow.errors import LakeError, RsflowError, StorageError
from rsflow.files import storage
from rsflow.files.faults import classify_error, retry_transient
from rsflow.lake.delta import read_cache
from rsflow.lake.integrity import digests

if TYPE_CHECKING:
    from deltalake import DeltaTable

COMMIT_KEY = "rsflow_commit"  # key of a commit's own id among its metadata
_COMMITS = 10  # tried before a write that others get ahead of is given up
_MOST_PAUSE = 0.2  # seconds between these


@contextmanager
def translate_delta_errors(place: str) -> Iterator[None]:
    """LakeError for whatever a damaged table makes Delta raise; what the network does is no damage."""
    try:
        yield
    except RsflowError:
        raise
    except BaseException as error:
        # A panic of the Rust part is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        kind = classify_error(error, place) or LakeError
        raise kind(f"{place}: cannot read this Delta table: {storage.describe_error(error)}") from error


def commit(place: str, attempt: Callable[[int], DeltaTable]) -> DeltaTable:
    """Write to a table; the table after it. `attempt` gets its number, from 1: it is made again where another writer's commit
    got ahead (then nothing of ours is there), and after transient faults (then nobody knows)."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    numbers = count(1)
    ahead = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(CommitFailedError),
        wait=tenacity.wait_random(0, _MOST_PAUSE),
        stop=tenacity.stop_after_attempt(_COMMITS),
        reraise=True,
    )

    @retry_transient
    def once() -> DeltaTable:
        try:
            return ahead(lambda: attempt(next(numbers)))
        except (OSError, DeltaError) as error:
            # The Rust store reports a full disk or a missing permission as text only.
            kind = classify_error(error, place) or StorageError
            raise kind(f"{place}: cannot commit rows: {storage.describe_error(error)}") from error

    return once()


def delete_where(table: DeltaTable, condition: str, number: int) -> DeltaTable:
    if number > 1:
        table.update_incremental()
    table.delete(condition)
    return table


def commit_infos(root: str, name: str, version: int) -> Iterator[dict[str, Any]]:
    """The `commitInfo` of a table's commits, from `version` backwards. LakeError where one cannot be read.

    Not by Delta's own history: that goes back from the present, and holds Python's lock while it waits for a store.
    """
    for number in range(version, -1, -1):
        below = f"tables/{name}/_delta_log/{number:020d}.json"
        place = storage.join(root, below)
        try:
            data = read_cache.read_file(place)
            digests.verify_file(root, below, data)
            actions = [json.loads(line) for line in data.splitlines()]
            yield next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
        except (ValueError, TypeError, AttributeError) as error:
            raise LakeError(f"{place}: cannot read this commit of a Delta table: {error}") from error


def has_commit(root: str, name: str, version: int, commit_id: str, count: int) -> bool:
    """Whether one of the last `count` commits up to `version` has this id."""
    return any(info.get(COMMIT_KEY) == commit_id for info in islice(commit_infos(root, name, version), count))


def storage_options(root: str) -> dict[str, str]:
    # object_store reads AWS_* itself, but refuses a plain-http endpoint (a local S3 server) unless that is allowed.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if not root.startswith("s3://") or not endpoint:
        return {}
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true" if endpoint.startswith("http://") else "false"}
