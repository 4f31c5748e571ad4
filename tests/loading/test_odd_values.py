"""Odd values at the loader's doors: each is taken in its plain meaning, or refused with the name of what holds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from rsflow.errors import ConfigError, SnapshotError, StorageError
from rsflow.loading.collate import collate
from rsflow.loading.loader import Loader
from rsflow.loading.memory.ring_buffer import RingLoader
from rsflow.loading.reading.sample_reader import ReadOptions
from rsflow.loading.resume.state import check_state_matches
from rsflow.loading.sampling.mixture import Mix
from rsflow.loading.stream import stream
from tests.loading.test_collate import QWEN, PicturesOnly, tokenizer

ODD = [
    None, True, False, np.bool_(True), "", "1", "2.0", b"1", math.nan, math.inf, -math.inf, np.float32("nan"), -1, -0.5, 1.5,
    10**7, 10**30, 1j, [], [1], (), {}, {"a": 1}, object(), Decimal("NaN"), Decimal("0.5"), Fraction(1, 2), np.array([1, 2]),
    torch.tensor([1, 2]), np.datetime64("2024-01-01"),
]  # fmt: skip
WHOLE = [2, 2.0, np.int8(2), np.uint64(2), np.float64(2), Fraction(4, 2), Decimal("2.00")]


def refusal(call: Callable[[], Any]) -> str:
    """The message of an error that names its cause, empty where there is none; any other error is a bug."""
    try:
        call()
    except (ConfigError, SnapshotError, StorageError) as error:
        return str(error)
    return ""


COMMON = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _name(value: object) -> str:
    """Its text without an address: every process has to name its tests alike."""
    return type(value).__name__ if " at 0x" in repr(value) else repr(value)


@pytest.mark.parametrize("value", WHOLE, ids=_name)
def test_a_whole_number_of_any_library_is_that_number(lake: Any, value: Any) -> None:
    plain = Loader(stream(lake.root, batch_size=2, seed=2, epoch=2, max_samples=2 * 2, decode=False))
    same = Loader(stream(lake.root, batch_size=value, seed=value, epoch=value, max_samples=value * 2, decode=False))
    assert [batch["key"] for batch in same] == [batch["key"] for batch in plain]
    assert same.state_dict() == plain.state_dict()
    dataset = stream(lake.root, repeat=value, shuffle=value, rank=0, world_size=value)
    assert len(dataset) == 73
    dataset.load_state_dict({**dataset.state_dict(), "epoch": value, "position": value, "repeat": value})
    assert (dataset.cursor.epoch, dataset.cursor.position) == (2, 2)
    dataset.set_epoch(value)
    assert dataset.cursor.epoch == 2


@pytest.mark.parametrize("name", ["epoch", "position", "taken", "topology", "repeat", "snapshots", "settings", "format"])
@pytest.mark.parametrize("value", ODD, ids=_name)
def test_an_odd_value_in_a_state_is_refused_by_name_or_plain(lake: Any, name: str, value: Any) -> None:
    dataset = stream(lake.root, batch_size=4, decode=False)
    before = dataset.state_dict()
    if refused := refusal(lambda: dataset.load_state_dict({**before, name: value})):
        assert name in refused or "state: is none of a stream" in refused or "the state is of" in refused
        assert dataset.state_dict() == before, "a refused state changes nothing"
    else:
        cursor = dataset.cursor
        assert all(type(number) is int for number in (cursor.epoch, cursor.position, cursor.taken, *cursor.topology))
        assert 0 <= cursor.position <= 73 or dataset.settings.repeat is None
        len(dataset)


@COMMON
@given(name=st.sampled_from(["seed", "epoch", "batch_size", "shuffle", "repeat", "max_samples", "rank", "world_size", "uneven",
                             "split", "dialect", "tasks", "sensors", "decode", "oversample", "follow", "url"]),
       value=st.sampled_from(ODD))  # fmt: skip
def test_an_odd_argument_of_a_stream_is_refused_by_name_or_plain(lake: Any, name: str, value: Any) -> None:
    arguments: dict[str, Any] = {"url": lake.root, "rank": 0, "world_size": 2, "decode": False, name: value}
    if name in {"rank", "world_size"} and value is None:
        return  # both or neither, tested elsewhere
    if refused := refusal(lambda: next(iter(stream(**arguments)))):
        assert name in refused or name == "url"


@COMMON
@given(weight=st.sampled_from(ODD), start=st.sampled_from(ODD), by_start=st.booleans())
def test_an_odd_weight_or_start_is_refused_by_name_or_plain(weight: Any, start: Any, by_start: bool) -> None:
    weights: Any = [(0, {"optical": 1, "sar": 2}), (start, {"optical": 1})] if by_start else {"optical": 1, "sar": weight}
    if refused := refusal(lambda: Mix("sensor", weights)):
        assert "mix.weights" in refused
    else:
        assert all(type(number) is int for _, row in Mix("sensor", weights).integer_weights() for number in row)


@pytest.mark.parametrize("value", ODD, ids=_name)
def test_odd_numbers_of_readers_and_collators_are_refused_by_name(lake: Any, value: Any) -> None:
    template = "{% for message in messages %}{{ message['content'][-1]['text'] }} {% endfor %}"
    words = tokenizer(QWEN)
    words.image_token, words.video_token = "<|image_pad|>", "<|video_pad|>"
    processor = PicturesOnly(Qwen2VLImageProcessorPil(), words, chat_template=template)
    doors = {
        "retries": lambda: stream(lake.root, read_options=ReadOptions(retries=value)),
        "cache_bytes": lambda: stream(lake.root, read_options=ReadOptions(cache_bytes=value)),
        "workers": lambda: RingLoader(stream(lake.root, batch_size=2, decode=False), value, 8),
        "size_px": lambda: RingLoader(stream(lake.root, batch_size=2, decode=False), 0, value),
        "max_tokens": lambda: collate(processor, max_tokens=value),
        "on_damage": lambda: stream(lake.root, read_options=ReadOptions(on_damage=value)),
    }
    for name, door in doors.items():
        assert name in (refusal(door) or name)


def test_a_state_is_no_state_of_anything(lake: Any) -> None:
    dataset = stream(lake.root)
    for state in ODD:
        with pytest.raises(ConfigError, match="is none of a stream"):
            check_state_matches(state, dataset.content.snapshots, {})
