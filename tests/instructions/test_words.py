"""English that must come out right, read aloud once and written down here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsflow.instructions.wording import english

NOUNS = {
    "ship": ("ship", "ships"),
    "Person": ("person", "people"),
    "people": ("person", "people"),
    "bus": ("bus", "buses"),
    "buses": ("bus", "buses"),
    "storage_tanks": ("storage tank", "storage tanks"),
    "small-vehicle": ("small vehicle", "small vehicles"),
    "SmallVehicle": ("small vehicle", "small vehicles"),
    "OtherVehicle": ("vehicle of another kind", "vehicles of another kind"),
    "Aircraft": ("aircraft", "aircraft"),
    "tennis court": ("tennis court", "tennis courts"),
    "ferry": ("ferry", "ferries"),
    "ferries": ("ferry", "ferries"),
    "churches": ("church", "churches"),
    "houses": ("house", "houses"),
    "bridge": ("bridge", "bridges"),
    "SUV": ("SUV", "SUVs"),
    "Boeing737": ("Boeing737", "Boeing737s"),
    "A220": ("A220", "A220s"),
    "roundabout": ("roundabout", "roundabouts"),
    "Ground-Track-Field": ("ground track field", "ground track fields"),
    "wharf": ("wharf", "wharves"),
    "fisherman": ("fisherman", "fishermen"),
    "grass": ("area of grass", "areas of grass"),
    "Water": ("area of water", "areas of water"),
    "area of water": ("area of water", "areas of water"),
    "built-up_land": ("area of built up land", "areas of built up land"),
    "island": ("island", "islands"),
    "water tower": ("water tower", "water towers"),
    "x|y[z]<p>": ("x y z p", "x y z ps"),
    "antennas": ("antenna", "antennas"),
    "villas": ("villa", "villas"),
    "taxis": ("taxi", "taxis"),
    "silos": ("silo", "silos"),
    "policemen": ("policeman", "policemen"),
    "gases": ("gas", "gases"),
    "lens": ("lens", "lenses"),
    "cargo": ("cargo", "cargoes"),
    "oasis": ("oasis", "oases"),
    "roundabouts": ("roundabout", "roundabouts"),
    "crossroads": ("crossroads", "crossroads"),
    "cattle": ("cattle", "cattle"),
    "SUVs": ("SUV", "SUVs"),
    "gas_station": ("gas station", "gas stations"),
    "campus": ("campus", "campuses"),
}


@pytest.mark.parametrize(("category", "expected"), NOUNS.items())
def test_nouns_and_plurals(category: str, expected: tuple[str, str]) -> None:
    assert (english.singular_noun(category), english.pluralise(english.singular_noun(category))) == expected


@pytest.mark.parametrize("category", ["DontCare", "ignored_regions", "others", "", "_", "background"])
def test_a_category_that_names_nothing_has_no_noun(category: str) -> None:
    assert english.singular_noun(category) == ""


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("ship", "a ship"),
        ("airplane", "an airplane"),
        ("SUV", "an SUV"),
        ("SAR image", "a SAR image"),
        ("optical image", "an optical image"),
        ("university", "a university"),
        ("hour", "an hour"),
        ("underpass", "an underpass"),
        ("A220", "an A220"),
        ("one-way road", "a one-way road"),
        ("F-16", "an F-16"),
        ("U-turn", "a U-turn"),
        ("UAV", "a UAV"),
        ("X-band antenna", "an X-band antenna"),
        ("utility pole", "a utility pole"),
        ("unidentified ship", "an unidentified ship"),
        ("8-lane road", "an 8-lane road"),
        ("11 m", "an 11 m"),
        ("110 m", "a 110 m"),
    ],
)
def test_articles_follow_the_sound(phrase: str, said: str) -> None:
    assert english.with_article(phrase) == said


def test_counts_read_like_english() -> None:
    assert [english.count_phrase(n, "person") for n in (0, 1, 2, 10, 11)] == [
        "no people",
        "a person",
        "two people",
        "ten people",
        "11 people",
    ]


def test_lists_read_like_english() -> None:
    assert english.join_list(["a"]) == "a"
    assert english.join_list(["a", "b"]) == "a and b"
    assert english.join_list(["a", "b", "c"], "or") == "a, b or c"


@given(st.floats(0.01, 1))
def test_a_spoken_share_is_near_the_true_one(share: float) -> None:
    said = int(english.percent_phrase(share).split()[1].rstrip("%"))
    assert abs(said / 100 - share) <= (0.0251 if share >= 0.1 else 0.0051)
    assert said > 0
    assert english.percent_phrase(share) != "about 100%"


def test_general_words_overlap_with_special_ones() -> None:
    for one, other in [("vehicle", "car"), ("vehicle", "small vehicle"), ("ship", "fishing boat"), ("person", "pedestrian")]:
        assert english.may_name_same_object(one, other)
        assert english.may_name_same_object(other, one)
    for one, other in [("car", "bus"), ("car", "car"), ("vehicle of another kind", "car"), ("bridge", "ship")]:
        assert not english.may_name_same_object(one, other)


@pytest.mark.parametrize(
    ("category", "noun"),
    [
        ("Built-up land", "built-up land"),
        ("bare_soil", "bare soil"),
        ("US state", "US state"),
        ("SAND", "sand"),
        ("OPEN SEA", "open sea"),
    ],
)
def test_a_land_cover_keeps_acronyms_and_nothing_else(category: str, noun: str) -> None:
    assert english.mass_noun(category) == noun
