"""A build on Ray whose texts a batch interface writes: killed while it waits, it takes the same batch up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from rsflow.generation.spending.costs import list_costs
from rsflow.lake.tables import open_lake
from tests.generation.asking_process import PRICES
from tests.generation.batch_server import Vendor, vending
from tests.generation.test_money import total, unanswered
from tests.phases.label.test_generation import calm

BUILD = [sys.executable, "-c", "from rsflow.cli import run; run()", "build"]


def write_config(archive: Path, vendor: Vendor) -> str:
    settings = yaml.safe_load((archive / "build.yaml").read_text())
    own = {"address": vendor.address, "key": None, "prices": PRICES, "poll_seconds": 0.1}
    settings["generation"] = {"kinds": ["description"], "engine": {"name": "openai_batch", "model": "writer", **own}}
    settings["engine"] = {"kind": "ray"}
    (archive / "written.yaml").write_text(yaml.safe_dump(settings))
    return str(archive / "written.yaml")


def requests_sent(vendor: Vendor) -> list[str]:
    files = [vendor.files[batch["input_file_id"]] for batch in vendor.batches.values()]
    return [json.loads(line)["custom_id"] for content in files for line in content.splitlines()]


@pytest.mark.ray
@pytest.mark.slow
def test_a_killed_build_takes_up_its_batch_again_and_counts_its_answers_once(archive: Path) -> None:
    root = str(archive / "lake")
    with vending() as vendor:
        vendor.write = lambda body: json.loads(calm(body).body)["choices"][0]["message"]["content"]
        command = [*BUILD, write_config(archive, vendor)]
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 240
            while not vendor.polls:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        waiting = len(requests_sent(vendor))
        assert unanswered(list_costs(root))[0] == waiting > 0
        vendor.status = "completed"
        again = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert again.returncode == 0, again.stderr
    sent = requests_sent(vendor)
    assert len(set(sent)) == len(sent) >= waiting  # no request went up twice
    lines = list_costs(root)
    assert (sum(line.answers for line in lines), unanswered(lines)) == (len(sent), (0, 0.0))
    assert total(lines).money == pytest.approx(vendor.paid.money, abs=1e-9)
    rows = open_lake(root).read("instructions").to_pylist()
    written = [row["instruction_id"] for row in rows if row["generator"].startswith("model:writer")]
    assert len(set(written)) == len(written) > 0
