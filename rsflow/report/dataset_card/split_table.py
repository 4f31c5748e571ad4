"""The resulting splits: of every sensor and category the share that each split got, and the requested one.

One idea: a pure function from counts to rows of text. Sensors are all listed, categories only the commonest; what is said in
one number is of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

CATEGORIES = 40  # the most that are listed

# Samples by (sensor, category) and split; "" is all of the sensor.
Strata = Mapping[tuple[str, str], Mapping[str, int]]


def split_rows(requested: Mapping[str, float], strata: Strata) -> tuple[list[str], list[list[str]]]:
    """(head, rows): the wanted shares first, then each sensor with its categories, the commonest first."""
    shares = _shares(requested, strata)
    sizes = {key: sum(counts.values()) for key, counts in strata.items()}
    named = sorted((key for key in strata if key[1]), key=lambda key: (-sizes[key], key))[:CATEGORIES]
    shown = sorted(
        [*named, *(key for key in strata if not key[1])], key=lambda key: (key[0], key[1] != "", -sizes[key], key[1])
    )
    rows = [["wanted", "", "", *(f"{share:.1%}" for share in shares.values())]]
    for key in shown:
        reached = (f"{strata[key].get(name, 0) / sizes[key]:.1%}" for name in shares)
        rows.append([key[0], key[1] or "all", f"{sizes[key]:,}", *reached])
    return ["sensor", "category", "samples", *shares], rows


def split_error(requested: Mapping[str, float], strata: Strata) -> float:
    """The share of samples that would have to be in another split for every category to have the wanted shares; a sample with
    several categories counts under each."""
    named = [counts for key, counts in strata.items() if key[1]] or list(strata.values())
    shares = _shares(requested, strata)
    differences = sum(
        abs(counts.get(name, 0) - share * sum(counts.values())) for counts in named for name, share in shares.items()
    )
    return differences / 2 / sum(sum(counts.values()) for counts in named)


def _shares(requested: Mapping[str, float], strata: Strata) -> dict[str, float]:
    """The wanted shares; 0 of a split that has samples although none was wanted (a source's own)."""
    total = sum(requested.values())
    shares = {name: share / total for name, share in requested.items() if share > 0}
    others = sorted({name for counts in strata.values() for name, count in counts.items() if count} - shares.keys())
    return {**shares, **dict.fromkeys(others, 0.0)}
