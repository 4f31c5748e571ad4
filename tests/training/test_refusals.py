"""What cannot be trained is refused before anything is, by name."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import ConfigError, RsflowError, StorageError, UsageError
from rsflow.training.run import train
from rsflow.training.settings import TrainConfig, load

Configure = Callable[..., TrainConfig]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": {"split": "test"}}, "split 'test'"),
        ({"data": {"tasks": ["counting"]}}, "counting"),
        ({"data": {"dialect": "esperanto"}}, "esperanto"),
        ({"base_model": "models/none"}, "base_model: .*models/none is no folder here"),
        ({"root": "/nowhere/lake"}, "no snapshot was written here yet"),
        ({"regime": {"kind": "full", "only": ["projecton"]}}, r"regime.only: 'projecton' matches no parameter"),
        ({"regime": {"kind": "full", "freeze": ["("]}}, r"regime.freeze: '\(' is no regular expression"),
        ({"regime": {"kind": "bias", "targets": ["qq_proj"]}}, "regime.targets: found 'qq_proj'; the model's linear layers"),
        ({"data": {"max_tokens": 3}}, "max_tokens: found 3"),
    ],
)
def test_a_wrong_name_is_refused_before_training(settings: dict[str, Any], message: str, configure: Configure) -> None:
    config = configure(**settings)
    with pytest.raises(RsflowError, match=message):
        train(config)
    assert not Path(config.output).exists()


def test_a_processor_with_more_tokens_than_the_model_is_refused(configure: Configure, llava: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = tmp_path / "grown"
    shutil.copytree(llava, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"extra{number}" for number in range(50)])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ConfigError, match=r"its processor has \d+ tokens, its model \d+: they do not belong together"):
        train(configure(base_model=str(folder)))


def test_a_processor_with_other_picture_tokens_is_refused(configure: Configure, llava: str, tmp_path: Path) -> None:
    folder = tmp_path / "patched"
    shutil.copytree(llava, folder)
    place = folder / "processor_config.json"
    place.write_text(place.read_text().replace('"patch_size": 14', '"patch_size": 7'))
    with pytest.raises(ConfigError, match="LlavaForConditionalGeneration refuses what LlavaProcessor made"):
        train(configure(base_model=str(folder)))


def test_a_prompt_that_ends_with_the_answers_space_is_refused(configure: Configure, earthgpt: str, tmp_path: Path) -> None:
    """With byte-level BPE the space belongs to the word after it."""
    folder = tmp_path / "spaced"
    shutil.copytree(earthgpt, folder)
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("Assistant:\n", "Assistant: "))
    with pytest.raises(ConfigError, match=r"ends a prompt with .*Assistant: ', but in training .* stands before an answer"):
        train(configure(base_model=str(folder)))


def test_a_tuned_model_is_no_base(configure: Configure, tmp_path: Path) -> None:
    outcome = train(configure(regime={"kind": "bias"}, max_steps=1))
    with pytest.raises(ConfigError, match=r"is itself the result of a tuning \(tuning.json\)"):
        train(configure(base_model=str(outcome.model), output=str(tmp_path / "again")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root: a\nbase_model: b\noutput: c\nregim: {kind: full}", "regim: unknown key; did you mean 'regime'"),
        (
            "root: a\nbase_model: b\noutput: c\nregime: {kind: lora, rang: 4}",
            "rang: unknown key; did you mean 'rank'",
        ),
        ("root: a\nbase_model: b\noutput: c\nregime: {kind: qlora}", "'qlora' .* 'full', 'lora', 'moe_lora', 'bias'"),
        ("root: a\nbase_model: b", "output: is missing"),
        ("root: a\nbase_model: b\noutput: s3://bucket/run", "expected a local folder"),
        (
            "root: a\nbase_model: b\noutput: c\noptimiser: {batch_size: 6, rank_batch: 4}",
            r"optimiser.rank_batch is 4: expected a divisor of optimiser.batch_size \(6\)",
        ),
        ("root: a\nbase_model: b\noutput: c\ndata: {mix: {by: band, weights: {a: 1}}}", "data.mix.by"),
        ("root: a\nbase_model: b\noutput: c\ndata: {workers: 100000}", "data.workers: found 100000"),
        (f"root: a\nbase_model: b\noutput: c\nseed: {10**20}", "seed: found 1"),
        ("root: a\nbase_model: b\noutput: c\nregime: {kind: lora, targets: []}", "regime.*targets"),
        (
            "root: a\nbase_model: b\noutput: c\nregime: {kind: moe_lora, experts: 1}",
            r"regime.active is 2: expected at most regime.experts \(1\)",
        ),
    ],
)
def test_a_wrong_configuration_names_its_key(text: str, message: str, tmp_path: Path) -> None:
    place = tmp_path / "train.yaml"
    place.write_text(text)
    with pytest.raises(UsageError, match=message):
        load(str(place))


def test_paths_start_at_the_files_folder_and_overrides_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "here").mkdir()
    place = tmp_path / "train.yaml"
    place.write_text("root: lake\nbase_model: base\noutput: run")
    monkeypatch.chdir(tmp_path / "here")
    config = load(str(place), ["output=other"])
    assert (config.root, config.base_model) == (str(tmp_path / "lake"), str(tmp_path / "base"))
    assert config.output == str(tmp_path / "here" / "other")


def test_a_checkpoint_that_cannot_be_written_is_one_clear_line_and_the_run_goes_on_later(configure: Configure) -> None:
    config = configure(max_steps=2, checkpoints={"every_steps": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=f"{config.output}: cannot write it: the file would be larger than"):
            train(config)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not Path(config.output, "model").exists()
    assert train(config).record["step"] == 2


def test_a_damaged_record_of_a_run_is_named(configure: Configure) -> None:
    config = configure()
    Path(config.output).mkdir()
    Path(config.output, "run.json").write_text("{")
    with pytest.raises(RsflowError, match=r"run\.json: is no record of a run"):
        train(config)
