"""What a sentence only supposes, compares or says in general: it is cut off, and the rest is read."""

from __future__ import annotations

from collections.abc import Sequence

from rsflow.instructions.reader.parsing.words import AUXILIARIES, CLAUSE_ENDS, HEDGES, SHOWING, parse_number, word_set

# Hedges before which the clause stands as it is; of others the whole clause is supposed.
_CUTTING = word_set(
    "room space capacity enough when suggesting indicating implying allowing like unlike such compared exception except"
)
_HEDGES_WITH = {"apart": "from", "space": "for", "room": "for", "capacity": "for"}  # with what they are hedges


def drop_supposed(words: Sequence[str]) -> tuple[str, ...]:
    """The words before the clause with the first hedge; all of them where there is none."""
    position = next((i for i, word in enumerate(words) if word in HEDGES and not _is_no_hedge(words, i)), None)
    if position is None:
        return tuple(words)
    ends = [i for i in range(position) if words[i] in CLAUSE_ENDS or words[i] in {",", "which", "that", "and"}]
    kept = tuple(words[:position] if words[position] in _CUTTING else words[: ends[-1]] if ends else ())
    return kept if {*kept} & (AUXILIARIES | SHOWING) else ()


def _is_no_hedge(words: Sequence[str], position: int) -> bool:
    """ "more than three", "at most": bounds of numbers; "as well as", "almost 40 %"."""
    word, after = words[position], words[position + 1 : position + 2]
    if word in _HEDGES_WITH:
        return not after or after[0] != _HEDGES_WITH[word]
    before = words[max(0, position - 6) : position]
    if word == "than":
        return bool({"more", "fewer", "less"} & {*before}) and not {"larger", "longer", "smaller"} & {*before}
    if word == "as":
        is_number = "many" in after or ("many" in before and "as" in before)
        return is_number or "well" in {*after, *before[-1:]} or bool({*before[-1:]} & word_set("appear appears seen visible"))
    return word == "almost" and bool(after) and (parse_number(after[0]) is not None or after[0] in {"half", "all"})
