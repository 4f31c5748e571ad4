"""The command that measures how fast samples stream: stream-bench."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from rsflow.errors import UsageError


def stream_bench(
    url: Annotated[str, Argument(metavar="URL", help="a root or a manifest, a folder or an address")],
    split: Annotated[str, Option(metavar="NAME")] = "train",
    workers: Annotated[int, Option(metavar="N", help="DataLoader workers")] = 2,
    batch: Annotated[int, Option(metavar="N", help="samples of a batch")] = 32,
    decode: Annotated[bool, Option("--decode", help="decode pictures, each at its own size")] = False,
    size: Annotated[
        int | None, Option(metavar="PX", help="decode and resize pictures into shared batches of this size")
    ] = None,
    cache: Annotated[str | None, Option(metavar="DIR", help="keep shards of a remote root here")] = None,
    seconds: Annotated[float, Option(metavar="S", help="stop after this time")] = 30.0,
) -> int:
    """Measure how fast a snapshot's samples stream on this machine.

    Examples:
      rsflow stream-bench demo-out/scenes/lake --seconds 5
      rsflow stream-bench s3://bucket/lake --workers 8 --size 448 --cache /tmp/shards
    """
    try:
        from rsflow.loading.throughput import BenchSettings, measure_throughput
    except ModuleNotFoundError as error:
        raise UsageError(f"stream-bench needs {error.name}: pip install 'rsflow[train]'") from error
    print(measure_throughput(url, BenchSettings(split, workers, batch, decode, size, cache, seconds)).text())
    return 0
