"""The summary: true to its numbers, aligned, and no wider than it says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rsflow.report.build_summary import WIDTH, BuildSummary, SceneCounts, summary_text
from rsflow.report.text.counts_table import by_task, format_bytes, tally_table


def test_it_names_everything_that_exists_now(build_summary: BuildSummary) -> None:
    text = summary_text(build_summary)
    for words in (
        "/data/harbours/snapshots/3.json",
        "7 new, 1 changed, 1 done before, 1 rejected",
        "346 kept",
        "291 (train 270, val 21)",
        "14 of 51.2 MB together, 3 written now",
        "label 1 min 13 s",
        "shard 1 h 6 min",
        "label: 387 windows = 346 kept",
    ):
        assert words in text, words
    for count in build_summary.instructions.values():
        assert f"{count:,}" in text


def test_no_line_is_wider_than_a_hundred_columns_but_a_long_place(build_summary: BuildSummary) -> None:
    assert max(map(len, summary_text(build_summary).splitlines())) <= WIDTH
    far = "s3://bucket/" + "folder/" * 20
    lines = summary_text(replace(build_summary, root=far)).splitlines()
    assert [line for line in lines if len(line) > WIDTH and far not in line] == []
    assert any(far in line for line in lines), "the place must stand whole, to be copied"


def test_the_tables_columns_line_up(build_summary: BuildSummary) -> None:
    lines = summary_text(build_summary).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("instructions"))
    block = lines[start : start + len(tally_table(build_summary.instructions))]
    assert len({len(line) for line in block}) == 1
    assert block[-1].split()[0] == "all"
    assert block[-1].split()[-1] == f"{sum(build_summary.instructions.values()):,}"


def test_a_run_with_nothing_to_do_says_so() -> None:
    text = summary_text(BuildSummary("/lake", SceneCounts(done=4), 10, {}, {}, {"plan": 0.1}))
    assert "0 new, 0 changed, 4 done before, 0 rejected: nothing new to label" in text
    assert "rejects       none" in text
    assert "snapshot" not in text


pairs = st.tuples(st.sampled_from(["vqa", "detection", "odd"]), st.sampled_from(["sar", "optical", "x"]))


@given(st.dictionaries(pairs, st.integers(0, 10**6)))
def test_a_table_of_counts_adds_up(tally: dict[tuple[str, str], int]) -> None:
    head, *rows = tally_table(tally)
    numbers = [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows]
    assert numbers[-1][-1] == sum(tally.values())
    assert all(sum(row[:-1]) == row[-1] for row in numbers)
    assert sum(by_task(tally).values()) == sum(tally.values())
    assert len(head) == len({sensor for _, sensor in tally}) + 2


def test_sizes_are_told_in_decimal_units() -> None:
    assert [format_bytes(n) for n in (0, 999, 1000, 999_950, 51_234_567, 2_000_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "1.0 MB",
        "51.2 MB",
        "2.0 TB",
    ]
