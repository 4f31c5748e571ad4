"""Repeat factors: how often a training sample is shown per epoch, so that rare categories are seen.

After LVIS (Gupta, Dollár, Girshick, https://arxiv.org/abs/1908.03195, appendix B.2): a category on a share f of the training
samples has the factor max(1, sqrt(threshold / f)), and a sample takes the largest factor of its categories. Fractions are
rounded by the hash of the sample's id: 1.3 is 2 for three samples in ten, always the same three. So a larger threshold lowers
no count, and added data changes few.

Nothing is copied: the number is a column of the sample, which a loader may follow.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rsflow.config.select_settings import Repeat
from rsflow.curation.connected_components import Indices
from rsflow.curation.hashing import stable_hashes, unit_interval


def repeat_factors(ids: pa.ChunkedArray, row: Indices, category: Indices, settings: Repeat) -> Indices:
    """The showings of each sample, from 1 to `settings.most`.

    `row` and `category` are pairs, in any order and repeated at will: the sample of this row is about this category.
    """
    factor = np.ones(len(ids))
    pairs = np.unique(np.stack([row, category], axis=1), axis=0)
    if len(pairs):
        _, of_pair, count = np.unique(pairs[:, 1], return_inverse=True, return_counts=True)
        factors = np.sqrt(settings.threshold * len(ids) / count)
        np.maximum.at(factor, pairs[:, 0], factors[of_pair.reshape(-1)])
    whole = np.floor(factor)
    up = unit_interval(stable_hashes(ids, 0)) < factor - whole
    shown: Indices = np.minimum(whole + up, settings.most).astype(np.int64)
    return shown
