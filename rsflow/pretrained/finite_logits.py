"""A guard in text generation: a model whose logits are no numbers writes no text.

The likeliest of NaN is the first word of the vocabulary, so without it a broken model would write words without a sign of it.
"""

from __future__ import annotations

import torch
import transformers


class NotFiniteLogitsError(ValueError):
    """The logits of a next word are no numbers."""


class FiniteLogits(transformers.LogitsProcessor):
    """Passes logits on; NotFiniteLogitsError where one is NaN or infinite, or all words of a row are excluded. Minus infinity
    excludes a word, and passes."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        broken = scores.isnan() | scores.isposinf()
        if bool(broken.any()) or bool(scores.isneginf().all(dim=-1).any()):
            raise NotFiniteLogitsError(f"the logits of word {input_ids.shape[1] + 1} are no finite numbers")
        return scores
