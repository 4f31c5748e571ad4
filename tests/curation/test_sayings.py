"""What instructions say as numbers: turns are one text, boxes count, forms hide numbers and categories."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rsflow.curation.duplicates.texts.text_signatures import build_mask, extract_texts, template_hashes, text_columns
from rsflow.curation.duplicates.texts.text_similarity import normalise_text
from rsflow.schemas import INSTRUCTIONS


def rows(*said: tuple[str, str, list[list[float]] | None]) -> pa.Table:
    turns = [[{"role": "user", "text": q}, {"role": "assistant", "text": a}] for q, a, _ in said]
    table = pa.Table.from_pylist(
        [{"turns": turn, "boxes": boxes} for turn, (_, _, boxes) in zip(turns, said, strict=True)],
        schema=pa.schema([INSTRUCTIONS.field(name) for name in ("turns", "boxes")]),
    )
    return pa.concat_tables([table.slice(0, 1), table.slice(1)])


BOX = [1.0, 2.0, 3.0, 4.0]


def test_turns_are_one_text_and_a_long_answer_says_it_all() -> None:
    seven = "One two three four five six seven"
    table = rows(("How many ships?", "Two.", None), ("", "", []), ("What?", seven, []), ("What?", seven + " eight.", []))
    told = [f"what {seven.lower()}", f"{seven.lower()} eight"]
    assert extract_texts(table["turns"]).to_pylist() == ["how many ships two", "", *told]
    pointing = rows(("Where are ships?", "There are [[9 ships|0,1,2,3,4,5,6,7,8]]", []), ("", "", []))
    assert extract_texts(pointing["turns"]).to_pylist()[0].startswith("where are ships there are 9 ships 0 1")
    assert extract_texts(table["turns"].slice(0, 0)).to_pylist() == []


def test_equal_words_about_other_boxes_are_other_statements() -> None:
    other, swapped = [1.0, 2.0, 3.0, 4.5], [2.0, 1.0, 3.0, 4.0]
    said = [None, [], [BOX], [BOX], [other], [swapped], [BOX, BOX], [[0.0, 0.0, 0.0, 0.0]]]
    found = text_columns(rows(*[("Where is it?", "Here", boxes) for boxes in said]))
    text = found["text"].tolist()
    assert text[0] == text[1]
    assert text[2] == text[3]
    assert len(set(text)) == 6
    assert found["elements"].tolist() == [2, 2, 0, 0, 0, 0, 0, 0]


def test_chunks_and_rows_around_it_change_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    one = rows(("a", "b", [BOX]), ("c", "d", [BOX, BOX]), ("e", "f", None))
    whole = text_columns(one)
    parts = [text_columns(one.slice(k, 1)) for k in range(3)]
    monkeypatch.setattr("rsflow.curation.duplicates.texts.text_signatures._BLOCK", 2)
    assert {name: values.tolist() for name, values in text_columns(one).items()} == {k: v.tolist() for k, v in whole.items()}
    assert text_columns(one.slice(0, 0))["text"].tolist() == []
    for name, values in whole.items():
        assert np.concatenate([part[name] for part in parts]).tolist() == values.tolist()


def test_forms_hide_numbers_and_categories_alone() -> None:
    mask = build_mask(["ship", "small-vehicle", "ship yard", ""], ("one", "two"))
    said = ["How many ships? 3", "how many SMALL VEHICLES? Two", "how many ship yards? 12", "how many shipments? 3", "ships 3"]
    found = template_hashes(normalise_text(pa.array(said)), mask).tolist()
    assert found[0] == found[1] == found[2]
    assert len(set(found)) == 3
    assert template_hashes(normalise_text(pa.array(["ships 3", "ships 4"])), build_mask([], ("one",))).tolist()[0] != found[4]
