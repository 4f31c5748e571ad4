"""A small convolutional encoder and decoder (U-Net, https://arxiv.org/abs/1505.04597) that learns from scratch in minutes.

One idea: what a labeller learns from a few hundred tiles is local, so a network without positions or attention is enough, takes
pictures of any size, and is trained on crops and run on whole tiles. Two thin layers go down to stride 4 at once: nearly all
of the time of a CPU would be spent above it. Widths are multiples of 16, as many numbers as a CPU multiplies at once. It trains
in bfloat16 where the device multiplies these faster; features are of the number type of
the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4  # of the features
WIDTHS = (16, 32, 64, 128)
STEM = 16  # channels at stride 2
MEAN, DEVIATION = 0.45, 0.25  # of pictures in [0, 1]


class UNet(nn.Module):
    """Pictures (batch, 3, rows, cols) in [0, 1] -> features (batch, widths[0], rows / 4, cols / 4), rounded up.

    Level i has `widths[i]` channels at stride 4 * 2 ** i.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.deepest_stride = STRIDE * 2 ** (len(widths) - 1)
        self.stem = nn.Sequential(_layer(3, STEM, stride=2), _layer(STEM, widths[0], stride=2))
        self.encoder = nn.ModuleList(_Residual(width) for width in widths)
        self.down = nn.ModuleList(_layer(before, after, stride=2) for before, after in pairwise(widths))
        levels = range(len(widths) - 2, -1, -1)
        self.up = nn.ModuleList(nn.Conv2d(widths[level + 1], widths[level], 1) for level in levels)
        self.decoder = nn.ModuleList(_layer(widths[level], widths[level]) for level in levels)

    def forward(self, pictures: Tensor) -> Tensor:
        rows, cols = pictures.shape[-2:]
        padding = (0, -cols % self.deepest_stride, 0, -rows % self.deepest_stride)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.training and has_bfloat16(pictures.device.type)):
            features = self._features(functional.pad((pictures - MEAN) / DEVIATION, padding))
        shown: Tensor = features[..., : -(-rows // STRIDE), : -(-cols // STRIDE)].to(pictures.dtype)
        return shown

    def _features(self, pictures: Tensor) -> Tensor:
        features: Tensor = self.encoder[0](self.stem(pictures))
        levels = []
        for down, stage in zip(self.down, list(self.encoder)[1:], strict=True):
            levels.append(features)
            features = stage(down(features))
        for up, stage in zip(self.up, self.decoder, strict=True):
            features = stage(functional.interpolate(up(features), scale_factor=2.0, mode="nearest") + levels.pop())
        return features


@cache
def has_bfloat16(device: str) -> bool:
    """Whether a kind of device ("cpu", "cuda", …) multiplies bfloat16 in hardware."""
    if device == "cpu":
        known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # not in older versions of torch
        return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _layer(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.second(self.first(features)))


def _layer(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
