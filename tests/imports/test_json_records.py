"""Records come out one by one, as a plain reader has them, whatever the windows cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsflow.errors import UsageError
from rsflow.imports import json_records
from rsflow.imports.json_records import read_records

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda kids: st.lists(kids, max_size=3))
RECORDS = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(records=RECORDS, window=st.integers(1, 40), indent=st.sampled_from([None, 1]), lines=st.booleans())
def test_any_window_gives_the_same_records(
    tmp_path: Path, records: list[Any], window: int, indent: int | None, lines: bool
) -> None:
    file = tmp_path / "set.json"
    text = "\n".join(json.dumps(one) for one in records) if lines else json.dumps(records, indent=indent, ensure_ascii=False)
    file.write_text(text)
    before = json_records.WINDOW_CHARS
    json_records.WINDOW_CHARS = window
    try:
        if lines and not records:
            with pytest.raises(UsageError):
                list(read_records(str(file)))
        else:
            assert list(read_records(str(file))) == records
    finally:
        json_records.WINDOW_CHARS = before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}, {"a": ', "record 1 is not whole"),
        ('[{"a": 1}, {"a": nope}]', "record 1 is not whole or not JSON"),
        ('{"images": [],\n "annotations": []}', "one JSON object"),
        ("<xml/>", "expected a JSON array"),
        ("", "expected a JSON array"),
    ],
)
def test_what_is_no_set_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "set.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        list(read_records(str(file)))


def test_a_file_of_another_encoding_is_told(tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_bytes('[{"a": "größer"}]'.encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        list(read_records(str(file)))


def test_a_broken_line_is_given_in_its_place_to_those_who_count_it(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"a": 1}\n{"a": \n{"a": 3}\n')
    first, broken, third = read_records(str(file), keep_broken=True)
    assert (first, third, broken.is_last) == ({"a": 1}, {"a": 3}, False)
    assert "line 2" in broken.detail
    with pytest.raises(UsageError, match="line 2 is not a JSON value"):
        list(read_records(str(file)))
    file.write_text('[{"a": 1}, {"a": ')
    assert [isinstance(one, json_records.BrokenRecord) for one in read_records(str(file), keep_broken=True)] == [False, True]


def test_a_line_without_end_is_not_lost_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "MAX_RECORD_CHARS", 100)
    monkeypatch.setattr(json_records, "WINDOW_CHARS", 64)
    (tmp_path / "set.jsonl").write_text('{"a": 1}\n{"a": "' + "x" * 500 + '"}\n{"a": 3}\n')
    with pytest.raises(UsageError, match="more than 100 characters"):
        list(read_records(str(tmp_path / "set.jsonl")))
