"""The classes of a closed-set model by number, and the check that a renaming names only these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rsflow.errors import ConfigError


def model_words(config: Any) -> dict[int, str]:
    """A model's class names by number, of its configuration."""
    return {int(number): str(word) for number, word in config.id2label.items()}


def check_renamed(labeller: str, model: str, renamed: Iterable[str], words: Mapping[int, str]) -> None:
    """ConfigError where `categories` renames a class that the model does not have."""
    unknown = sorted(set(renamed) - set(words.values()))
    if unknown:
        raise ConfigError(
            f"labeller {labeller}: categories names {unknown[0]!r}, which {model} does not know; its classes: "
            f"{', '.join(sorted(words.values()))}"
        )
