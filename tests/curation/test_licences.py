"""Licences rank by what their names say, and by the preference that is given."""

from __future__ import annotations

from rsflow.curation.balance.licences import licence_ranks

FREEST_FIRST = [
    ["CC0-1.0", "public-domain", "CC-Zero"],
    ["CC-BY-4.0", "MIT", "BSD-3-Clause", "Apache-2.0", "Copernicus-Sentinel", "NEON-open-data"],
    ["CC-BY-SA-4.0", "GPL-3.0", "ODbL-1.0"],
    ["CC-BY-NC-4.0", "CC-BY-NC-SA-3.0", "research only"],
    ["CC-BY-ND-4.0", "CC-BY-NC-ND-2.0"],
    ["house rules"],
    ["unknown", "Unknown"],
]


def test_what_leaves_more_freedom_comes_first() -> None:
    ranks = [set(licence_ranks(names)) for names in FREEST_FIRST]
    assert all(len(rank) == 1 for rank in ranks)
    assert sorted(ranks, key=min) == ranks
    assert len(set.union(*ranks)) == len(ranks)


def test_preferred_ones_come_before_all_others_in_their_order() -> None:
    assert licence_ranks(["CC0-1.0", "CC-BY-ND-4.0", "mine"], ["mine", "CC-BY-ND-4.0"]) == [2, 1, 0]
