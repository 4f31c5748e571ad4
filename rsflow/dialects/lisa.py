"""The spelling of LISA: boxes as LLaVA, from which it is made, and `[SEG]` for a mask.

One idea: the token's embedding is decoded to a mask, so the text holds no outline, and the masks go beside it in the order of
the tokens (rsflow.loading.masks). Source: https://arxiv.org/abs/2308.00692, section 3.1. A group of things has a token for
each, as in GSVA (https://arxiv.org/abs/2312.10103).
"""

from __future__ import annotations

from rsflow.dialects import llava
from rsflow.dialects.spelling.outlines import OutlineForm

OUTLINE_FORM = OutlineForm(token="[SEG]")
PATH_FORM = llava.PATH_FORM
spell, parse, max_rounding_px, outline_frame = llava.spell, llava.parse, llava.max_rounding_px, llava.outline_frame
