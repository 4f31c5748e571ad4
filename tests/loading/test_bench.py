"""The command that measures a user's own shards: its counts are the epoch's, and mistakes are told in words."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.loading.throughput import BenchSettings, measure_throughput


@pytest.mark.parametrize(
    "asked",
    [BenchSettings(workers=0), BenchSettings(decode=True, workers=1), BenchSettings(size_px=32, workers=2, batch_size=4)],
)
def test_a_whole_epoch_is_counted(lake: Any, asked: BenchSettings) -> None:
    found = measure_throughput(str(lake.root), asked)
    said = Counter(one["task"] for sample in lake.samples["train"] for one in sample.record["instructions"])
    assert (found.samples, found.whole_epoch, found.tasks) == (73, True, said)
    assert found.stream_stats["hits"] == 73
    assert 0 < found.first_s <= found.seconds
    assert 0 < found.wait_s <= found.seconds
    assert found.picture_bytes == found.stream_stats["bytes"] > sum(len(one.picture) for one in lake.samples["train"])


def test_it_stops_when_the_time_is_over(lake: Any) -> None:
    found = measure_throughput(str(lake.root), BenchSettings(workers=0, batch_size=4, seconds=1e-9))
    assert (found.samples, found.whole_epoch) == (4, False)


def test_the_command(lake: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stream-bench", str(lake.root), "--split", "val", "--workers", "0", "--batch", "2", "--size", "24"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("split val, 0 workers, batches of 2, pictures 24 px, in a ring\n5 samples in ")
    assert re.search(r"samples/s +[\d,]+ .*\n +MB/s +[\d.]+ .*\n +first batch +[\d.]+ s\n +wait share +[\d.]+%", out)
    assert re.search(r"cache hits +100\.0% +of 5 samples read; 0 bytes fetched\n +skipped +0 ", out)
    assert main(["stream-bench", str(lake.root), "--split", "test"]) == 2
    assert "split 'test' is not in the snapshot; its splits: train, val" in capsys.readouterr().err
    assert main(["stream-bench", str(lake.root), "--batch", "0"]) == 2
    assert main(["stream-bench", str(lake.root / "nothing")]) == 1
