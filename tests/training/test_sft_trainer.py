"""TRL's SFTTrainer fed by a Loader: what it trained on before and after a crash is what the stream gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsflow import collate, stream
from rsflow.loading.loader import Loader


class CrashError(Exception):
    pass


def test_trl_goes_on_after_a_crash_with_the_samples_that_follow(snapshot: str, llava: str, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from rsflow.loading.trainer_callback import LoaderCallback, sft_dataset

    processor = AutoProcessor.from_pretrained(llava)
    trained: dict[int, list[str]] = {}

    def train(crash: int, checkpoint: str | None) -> None:
        keys: list[list[str]] = []

        def collate_with_keys(examples: Any) -> Any:
            keys.append([one["key"] for one in examples])
            return collate(processor)(examples)

        loader = Loader(stream(snapshot, batch_size=8, seed=2, dialect="llava"), collate_fn=collate_with_keys)

        class Trainer(trl.SFTTrainer):  # type: ignore[misc]  # trl has no types
            def get_train_dataloader(self) -> Loader:
                return loader

            def training_step(self, model: Any, inputs: Any, *more: Any) -> Any:
                if self.state.global_step == crash:
                    raise CrashError
                trained[self.state.global_step] = keys.pop(0)
                return super().training_step(model, inputs, *more)

        args = trl.SFTConfig(
            str(tmp_path), num_train_epochs=2, save_steps=2, use_cpu=True, report_to=[], disable_tqdm=True, max_length=None,
            remove_unused_columns=False, per_device_train_batch_size=8, gradient_checkpointing=False, logging_strategy="no",
        )  # fmt: skip
        Trainer(
            AutoModelForImageTextToText.from_pretrained(llava), args, train_dataset=sft_dataset(loader),
            data_collator=loader.collate_fn, processing_class=processor, callbacks=[LoaderCallback(loader, checkpoint)],
        ).train(resume_from_checkpoint=checkpoint)  # fmt: skip

    with pytest.raises(CrashError):
        train(3, None)
    train(-1, str(tmp_path / "checkpoint-2"))
    expected = [one["key"] for one in stream(snapshot, batch_size=8, seed=2, repeat=2)]
    assert [key for step in sorted(trained) for key in trained[step]] == expected
