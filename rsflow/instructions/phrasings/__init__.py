"""Every wording in which rsflow asks: a table from the kind of question to its phrasings.

The first phrasing of a kind is the seeds' own wording (MMRS-1M's, where it has the task; spelling and spacing as theirs) and is
left out of conversations. Names in braces are filled by the question that is asked (rsflow.instructions.question_answers).
Answers are not here: they belong to the question, so that no phrasing can make one untrue.
"""

from __future__ import annotations

from rsflow.instructions.phrasings import (
    boxes,
    chains,
    change,
    choices,
    damage,
    fields,
    graphs,
    ground,
    index_change,
    measurements,
    objects,
    outlines,
    picture,
    sensors,
    series,
    zoom,
)
from rsflow.instructions.phrasings.hint import HINT

__all__ = ["HINT", "PHRASINGS"]

PHRASINGS: dict[str, tuple[str, ...]] = {
    **picture.PHRASINGS,
    **objects.PHRASINGS,
    **measurements.PHRASINGS,
    **fields.PHRASINGS,
    **ground.PHRASINGS,
    **boxes.PHRASINGS,
    **change.PHRASINGS,
    **index_change.PHRASINGS,
    **damage.PHRASINGS,
    **series.PHRASINGS,
    **sensors.PHRASINGS,
    **zoom.PHRASINGS,
    **outlines.PHRASINGS,
    **choices.PHRASINGS,
    **chains.PHRASINGS,
    **graphs.PHRASINGS,
}
