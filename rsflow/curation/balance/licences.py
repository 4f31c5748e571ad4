"""Which of several licences leaves more freedom: for choosing among copies of one picture.

A licence is ranked by the words in its name, so that new versions need no table. It is a preference among copies that
may all be used, not legal advice; what may be used at all is `select.allow_licences`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rsflow.config.select_settings import UNKNOWN

# By what a name holds, the most restricting first: no derivatives, not for profit, share alike, attribution.
_RESTRICTIONS = (
    (5, r"\bND\b|NO.?DERIV"),
    (4, r"\bNC\b|NON.?COMMERCIAL|RESEARCH|ACADEMIC"),
    (3, r"\bSA\b|SHARE.?ALIKE|GPL|ODBL"),
    (0, r"\bCC0\b|\bCC.?ZERO\b|PUBLIC.?DOMAIN|UNLICENSE|PDDL"),
    (1, r"\bBY\b|\bMIT\b|BSD|APACHE|ODC|\bOGL\b|COPERNICUS|OPEN.?DATA|OPEN.?LICEN[CS]E"),
)
_OTHER, _UNSTATED = 6, 7


def licence_ranks(names: Sequence[str], preferred: Sequence[str] = ()) -> list[int]:
    """A number for each name, smaller where it is to be preferred: by its place in `preferred`, the others after these.

    Among the others: public domain, attribution, share alike, not for profit, no derivatives, any other, unknown.
    """
    return [preferred.index(name) if name in preferred else len(preferred) + _restrictions(name) for name in names]


def _restrictions(name: str) -> int:
    words = re.sub(r"[-_]", " ", name.upper())
    if name.strip().lower() == UNKNOWN:
        return _UNSTATED
    return next((rank for rank, pattern in _RESTRICTIONS if re.search(pattern, words)), _OTHER)
