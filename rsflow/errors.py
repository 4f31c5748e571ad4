"""The errors that rsflow raises on purpose, and what each one means for a run.

One idea: an error either stops the run and is shown to the user in one plain message (`RsflowError` and its kin), or it
concerns one piece of data and becomes a counted reject (`DataError`). Nothing in between: any other exception is a bug and
keeps its traceback.
"""

from __future__ import annotations


class RsflowError(Exception):
    """Stops the run. The message names the thing, the value found, what was expected and what to do."""

    exit_code = 1


class UsageError(RsflowError):
    """The command or the configuration is wrong: nothing was started (exit code 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file has an unknown key, a wrong type or an impossible value."""


class StorageError(RsflowError):
    """A place cannot be read or written: missing, no permission, disk full, network."""


class UnavailableError(StorageError):
    """The surroundings failed, not the data: no permission, wrong credentials. It never becomes a reject: what depends on it
    stays undone, and the run says so."""


class TransientError(UnavailableError):
    """The same where it may pass by itself: network, a busy store, memory. It was tried again for as long as patience lasts."""


class UndoneError(RsflowError):
    """The run did all it could; what it could not do for UnavailableErrors is left for the next run, and is not rejected."""


class LakeError(RsflowError):
    """The lake is of a newer version, or its tables contradict each other."""


class DamagedFileError(LakeError):
    """A tile file of the lake is missing or does not hold what was committed. A build labels its unit again.

    The message begins with the file's place, followed by `: is `."""

    @property
    def place(self) -> str:
        return str(self).partition(": is ")[0]


class SnapshotError(RsflowError):
    """A snapshot or one of its shards is missing, damaged or not what its manifest says."""


class RejectLimitError(RsflowError):
    """More of the input was rejected than `max_reject_share` allows."""


class BudgetError(RsflowError):
    """What models may spend is spent. What was done is kept."""


class DeviceLostError(RsflowError):
    """An accelerator failed so that nothing works in this process any more: only another process can go on."""


class DataError(Exception):
    """One scene, tile or record is unusable. It becomes a reject; the run goes on.

    `reason` is a short stable word group that is counted (`unreadable`, `no_valid_pixels`); `detail` names the file, the
    value found and what was expected.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[DataError], tuple[str, str]]:
        # The default pickles only `args` (one string), which the two-argument constructor refuses in a Ray worker.
        return DataError, (self.reason, self.detail)
