"""Benchmarks for VLMEvalKit and lmms-eval: read as their loaders read them, and right options that are right."""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from rsflow.exports import export
from rsflow.exports.benchmarks.lmms_eval_task import choice_results, choice_to_text, chosen_letter, doc_to_visual, short_results
from rsflow.exports.benchmarks.multiple_choice import ChoiceQuestion, choice_questions, source_classes
from rsflow.exports.vlmevalkit import ROTATION
from rsflow.instructions.phrasings import HINT
from rsflow.shards.format import Sample
from tests.exports.conftest import instruction, sample, write_root

csv.field_size_limit(sys.maxsize)


def asked(name: str, kind: str, question: str, answer: str, task: str = "vqa", **facts: Any) -> Any:
    turns = [("user", question), ("assistant", answer)]
    return {**instruction(name, task, turns, [], {"kind": kind, **facts}), "id": f"{name}#{task}#{kind}{question[:9]}"}


def with_questions(number: int, scene: str) -> Sample:
    """A sample of which ships, but neither planes nor trains, are annotated; docks are there, and flagged as difficult."""
    one = sample(number, "test")
    texts = [
        asked(f"s.{number}", "count", "How many ships are there?", "2", category="ship", value=2),
        asked(f"s.{number}", "yes_no", "Is there a plane?", "no", category="plane", value=False),
        asked(f"s.{number}", "place", f"Where is the dock?{HINT}", "upper left", category="dock", value="upper left"),
        asked(f"s.{number}", "category", "What is this?", scene, task="classification", value=scene),
    ]
    vocabulary = ["ship", "plane", "train", "dock", "cargo ship"]
    return replace(one, record={**one.record, "instructions": [*one.record["instructions"], *texts], "vocabulary": vocabulary})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    scenes = ["harbour", "forest", "dense forest", "None"]
    return write_root(tmp_path / "lake", {"test": [[with_questions(n, scene) for n, scene in enumerate(scenes)]]})


def questions(number: int, scene: str, others: tuple[str, ...] = ()) -> dict[str, ChoiceQuestion]:
    every = [with_questions(n, name) for n, name in enumerate((scene, *others))]
    return {one.kind: one for one in choice_questions(every[0].record, source_classes(every))}


def test_wrong_options_are_what_annotations_exclude() -> None:
    found = questions(0, "harbour", ("forest", "airport"))
    presence = found["presence"]
    # Docks are there and difficult: neither right nor wrong. Cargo ships share a word with ships: the most plausible.
    assert presence.options[presence.answer] == "ship"
    assert set(presence.options) == {"ship", "cargo ship", "plane", "train"}
    count = found["count"]
    assert count.options[count.answer] == "2"
    assert len(set(count.options)) == 4
    assert all(abs(int(option) - 2) <= 3 for option in count.options)
    place = found["place"]
    assert (place.question, place.options[place.answer]) == ("Where is the dock?", "upper left")
    assert not {"top", "left", "centre"} & set(place.options)
    assert set(found["class"].options) == {"harbour", "forest", "airport"}


def test_without_complete_annotations_nothing_is_said_to_be_absent() -> None:
    one = with_questions(0, "harbour")
    record = {**one.record, "vocabulary": []}
    assert "presence" not in {each.kind for each in choice_questions(record, {})}
    assert "class" not in {each.kind for each in choice_questions(one.record, source_classes([one]))}
    seen = {**one.record, "objects": [*one.record["objects"], {**one.record["objects"][0], "category": "trains", "label": "z"}]}
    (presence, *_) = (each for each in choice_questions(seen, {}) if each.kind == "presence")
    assert "train" not in {*presence.options} - {presence.options[presence.answer]}


def test_rotations_put_the_right_option_everywhere_once() -> None:
    for one in questions(0, "harbour", ("forest",)).values():
        turned = list(one.rotations())
        assert turned[0] == one
        assert {each.answer for each in turned} == set(range(len(one.options)))
        assert {each.options[each.answer] for each in turned} == {one.options[one.answer]}


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_vlmevalkit_finds_every_picture_and_answer(root: Path, tmp_path: Path) -> None:
    """What ImageBaseDataset.__init__ and mcq_circular_eval ask of a file (vlmeval/dataset/image_base.py, utils)."""
    tally = export(str(root), "vlmevalkit", str(tmp_path / "out"))
    files = {name: rows(tmp_path / f"out/rsflow_test_{name}.tsv") for name in ("mcq", "circular_mmbench", "openended", "yorn")}
    assert tally.records == sum(map(len, files.values()))
    for name, table in files.items():
        assert table, name
        pictures = {row["index"]: row["image"] for row in table}
        assert len(pictures) == len(table)
        for row in table:
            encoded = pictures[row["image"]] if len(row["image"]) <= 64 else row["image"]
            Image.open(io.BytesIO(base64.b64decode(encoded))).verify()
    for row in files["mcq"]:
        options = {letter: row[letter] for letter in "ABCD" if row[letter]}
        assert row["answer"] in options
        assert not {"None", "NA", ""} & set(options.values())
    circular = {int(row["index"]): row for row in files["circular_mmbench"]}
    assert {index for index in circular if index < ROTATION} == {int(row["index"]) for row in files["mcq"]}
    for main in files["mcq"]:
        group = [row for index, row in circular.items() if index % ROTATION == int(main["index"])]
        assert sorted(row["answer"] for row in group) == sorted(letter for letter in "ABCD" if main[letter])
        assert {row[row["answer"]] for row in group} == {main[main["answer"]]}
    assert {row["answer"] for row in files["yorn"]} == {"No"}
    assert {(row["category"], row["answer"]) for row in files["openended"]} >= {("count", "2"), ("category", "None.")}


def test_vlmevalkit_files_are_read_by_pandas_without_a_missing_option(root: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    export(str(root), "vlmevalkit", str(tmp_path / "out"))
    table = pandas.read_csv(tmp_path / "out/rsflow_test_mcq.tsv", sep="\t")
    assert not table[["index", "image", "question", "A", "B", "answer", "category"]].isna().to_numpy().any()


def test_lmms_eval_loads_asks_and_scores(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its task loader does: the YAML with functions of utils.py, and the data by `datasets.load_dataset`."""
    datasets = pytest.importorskip("datasets")
    export(str(root), "lmms-eval", str(tmp_path / "out"))
    monkeypatch.chdir(tmp_path / "out")
    namespace: dict[str, Any] = {}
    exec(compile(Path("utils.py").read_text(), "utils.py", "exec"), namespace)

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: namespace[loader.construct_scalar(node).removeprefix("utils.")])
    for form in ("choice", "short"):
        task = yaml.load(Path(f"rsflow_test_{form}.yaml").read_text(), Loader)
        assert task["task"] == f"rsflow_test_{form}"
        docs = datasets.load_dataset(task["dataset_path"], cache_dir=str(tmp_path / "cache"), **task["dataset_kwargs"])
        for doc in docs[task["test_split"]]:
            (picture,) = task["doc_to_visual"](doc)
            assert picture.mode == "RGB"
            assert doc["question"] in task["doc_to_text"](doc)
            right = doc[task["doc_to_target"]]
            assert task["process_results"](doc, [right]) == {"accuracy": 1.0}
            assert task["process_results"](doc, ["nothing of the kind"]) == {"accuracy": 0.0}
        assert task["metric_list"] == [{"metric": "accuracy", "aggregation": "mean", "higher_is_better": True}]


@pytest.mark.parametrize(
    ("text", "letter"),
    [("B", "B"), ("B. forest", "B"), ("(b)", ""), ("The answer is (C).", "C"), ("forest", "B"), ("A forest.", "B"), ("", ""),
     ("D", ""), ("(A) or (B)", "")],
)  # fmt: skip
def test_letters_and_options_are_read_from_answers(text: str, letter: str) -> None:
    assert chosen_letter(text, ["harbour", "forest", "airport"]) == letter


def test_short_answers_are_compared_as_words() -> None:
    assert short_results({"answer": "2"}, ["Two."]) == {"accuracy": 1.0}
    assert short_results({"answer": "upper left"}, ["the upper left"]) == {"accuracy": 1.0}
    assert short_results({"answer": "upper left"}, ["left"]) == {"accuracy": 0.0}
    doc = {"question": "Which?", "options": ["a", "b"], "answer": "B", "image": Image.new("L", (4, 4))}
    assert choice_to_text(doc).splitlines()[1:3] == ["A. a", "B. b"]
    assert choice_results(doc, ["B"]) == {"accuracy": 1.0}
    assert doc_to_visual(doc)[0].mode == "RGB"


@pytest.mark.parametrize("form", ["vlmevalkit", "lmms-eval"])
def test_equal_snapshots_give_equal_bytes(form: str, root: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        export(str(root), form, str(tmp_path / name), split="test")
    written = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert written == sorted(path.relative_to(tmp_path / "other") for path in (tmp_path / "other").rglob("*") if path.is_file())
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "other" / path).read_bytes() for path in written)
    assert json.loads((tmp_path / "one/export.json").read_text())["left_out"]["no_short_question"] == 16
