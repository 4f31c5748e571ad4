"""`rsflow evaluate`: right answers score 1, wrong ones 0, unreadable ones are counted; intervals, controls, files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from rsflow.cli import main
from rsflow.dialects import get_dialect, spell_text
from rsflow.errors import UsageError
from rsflow.evaluation import Answer, read_questions, score_answers, score_table
from rsflow.evaluation.aggregate import bootstrap
from rsflow.evaluation.scores.text_scores import score_texts, split_words
from tests.evaluation.conftest import BOXES

QWEN = get_dialect("qwen")


def questions(root):
    return [question for question, _ in read_questions(root, "test", QWEN)]


def right_answer(question):
    return spell_text(QWEN, question.reference, question.boxes, question.answer, question.height_px, question.width_px)


def scores_of(rows, by="all"):
    return {(each.task, each.group, each.metric): each for each in score_table(score_answers(rows, QWEN)) if each.by == by}


def test_right_answers_score_one(root):
    rows = [(question, Answer(question.question_id, right_answer(question))) for question in questions(root)]
    # The right answer to "Any plane?" is written for half of the pictures only.
    rows = [row for row in rows if row[0].kind != "yes_no"]
    table = scores_of(rows)
    for key in [
        ("vqa", "all", "accuracy"),
        ("classification", "all", "accuracy"),
        ("grounding", "all", "acc@0.7"),
        ("detection", "all", "ap@0.5"),
        ("captioning", "all", "bleu_4"),
        ("captioning", "all", "rouge_l"),
    ]:
        assert table[key].value == pytest.approx(1.0, abs=1e-6), key
        assert table[key].unparsed == 0
    assert table[("vqa", "all", "count_error")].value == 0


@pytest.mark.parametrize(
    ("kind", "text", "measures"),
    [
        ("count", "There are four ships.", {"accuracy": 0.0, "count_error": 3.0}),
        ("count", "1", {"accuracy": 1.0, "count_error": 0.0}),
        ("yes_no", "No, I see none.", {"accuracy": 1.0}),
        ("share", "roughly 33 percent", {"accuracy": 1.0, "share_error": pytest.approx(0.022)}),
        ("share", "0.5", {"accuracy": 0.0, "share_error": pytest.approx(0.148)}),
        ("category", "It is a harbour", {"accuracy": 1.0}),
        ("category", "harbourmaster", {"accuracy": 0.0}),
        ("choice", "B", {"accuracy": 1.0}),
        ("choice", "(B) 98", {"accuracy": 1.0}),
        ("choice", "98", {"accuracy": 1.0}),
        ("choice", "A. 98", {"accuracy": 0.0}),
        ("choice", "98 or 99", {"accuracy": 0.0}),
        ("outline", '{"polygon_2d": [[10, 20, 59, 20, 10, 69]]}', {"iou": pytest.approx(1.0, abs=0.06)}),
        ("outline", '{"polygon_2d": [[10, 20, 59, 20, 59, 69, 10, 69]]}', {"iou": pytest.approx(0.5, abs=0.03)}),
    ],
)
def test_an_answer_is_judged_by_its_kind(root, kind, text, measures):
    question = next(each for each in questions(root) if each.kind == kind)
    (scored,) = score_answers([(question, Answer(question.question_id, text))], QWEN)
    assert scored.parsed
    assert scored.measures == measures


@pytest.mark.parametrize(
    ("kind", "text"),
    [("count", "many"), ("count", "2 or 3"), ("yes_no", "perhaps"), ("share", "most"), ("box", "left"), ("outline", "there")],
)
@pytest.mark.parametrize("given", [True, False])
def test_what_cannot_be_read_is_wrong_and_counted(root, kind, text, given):
    question = next(each for each in questions(root) if each.kind == kind)
    (scored,) = score_answers([(question, Answer(question.question_id, text if given else None))], QWEN)
    assert not scored.parsed
    assert set(scored.measures.values()) == {0.0}


def test_shifted_boxes_score_their_overlap(root):
    question = next(each for each in questions(root) if each.kind == "box")
    x0, y0, x1, y1 = BOXES[0]
    shifted = ((x0 + 25, y0, x1 + 25, y1),)
    answer = QWEN.spell("[[|0]]", shifted, question.height_px, question.width_px)
    (scored,) = score_answers([(question, Answer(question.question_id, answer))], QWEN)
    assert scored.measures["iou"] == pytest.approx(1 / 3, abs=0.01)
    assert scored.measures["acc@0.5"] == 0


def test_average_precision_is_that_of_pycocotools_by_hand(root):
    """One of two boxes found and one box too many, in each picture: recall 0.5 at precision 0.5."""
    rows = []
    for question in questions(root):
        if question.kind == "boxes":
            found = (question.boxes[0], (170.0, 5.0, 190.0, 20.0))
            answer = QWEN.spell("[[2 ships|0,1]]", found, question.height_px, question.width_px)
            rows.append((question, Answer(question.question_id, answer)))
    precision = scores_of(rows)[("detection", "all", "ap@0.5")].value
    assert 0.2 < precision <= 0.51
    assert scores_of(rows)[("detection", "all", "iou")].value == pytest.approx(0.5, abs=0.02)


def test_always_the_commonest_answer_is_told_beside_the_score(root):
    rows = [(question, Answer(question.question_id, "no")) for question in questions(root) if question.kind == "yes_no"]
    (score,) = [each for key, each in scores_of(rows).items() if key[2] == "accuracy"]
    assert score.value == score.majority == pytest.approx(0.5)


def test_the_commonest_answer_is_that_of_each_category(root):
    """Ships are always there, planes never: who knows that is always right, and needs no picture."""
    first = next(each for each in questions(root) if each.kind == "yes_no")
    rows = []
    for number in range(6):
        category, value = ("ship", True) if number % 2 else ("plane", False)
        answer = {"kind": "yes_no", "category": category, "value": value}
        rows.append((replace(first, question_id=str(number), answer=answer), Answer(str(number), "yes")))
    (score,) = [each for key, each in scores_of(rows).items() if key[2] == "accuracy"]
    assert (score.value, score.majority) == (0.5, 1.0)


def test_groups_add_up(root):
    rows = [(question, Answer(question.question_id, right_answer(question))) for question in questions(root)]
    for by in ("sensor", "source", "kind"):
        counted = [each.answers for each in scores_of(rows, by).values() if each.task == "vqa" and each.metric == "accuracy"]
        assert sum(counted) == 18


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    cells = [str(number // 4) for number in range(120)]
    hits = 0
    for _ in range(200):
        values = (rng.random(30) < 0.6).repeat(4).astype(float)
        low, high = bootstrap(values, cells, 400)
        hits += low <= 0.6 <= high
    assert 0.88 <= hits / 200 <= 0.99
    assert bootstrap(np.ones(4), ["a"] * 4) == (None, None)


def test_predictions_of_a_file_are_scored_and_what_is_missing_is_unanswered(root, tmp_path, capsys):
    lines = [{"id": each.question_id, "text": right_answer(each)} for each in questions(root)][:20]
    predictions = tmp_path / "predictions.jsonl"
    lines.append({"id": "of another snapshot", "text": "yes"})
    predictions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "scores"
    assert main(["evaluate", str(predictions), root, "-o", str(out), "--by", "sensor"]) == 0
    printed = capsys.readouterr()
    assert "sar" in printed.out
    assert "34 of 54 questions have no answer and count as wrong: no prediction 34\n" in printed.err
    assert "1 predictions are of no question of the split and count nowhere, such as 'of another snapshot'" in printed.err
    run = json.loads((out / "scores.json").read_text())["run"]
    assert (run["questions"], run["unanswered"], run["unknown_predictions"]) == (54, 34, 1)
    assert run["unanswered_by_reason"] == {"no prediction": 34}
    page = (out / "page.html").read_text()
    assert "data:image/png;base64," in page
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 54


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "line 1"),
        ('{"id": "a", "text": 3}', "line 1"),
        ('{"id": "a", "text": "b"}\n{"id": "a", "text": "c"}', "twice"),
        ('{"id": "a", "text": "b"}', "answers none"),
    ],
)
def test_a_file_that_is_no_predictions_is_one_clear_line(root, tmp_path, capsys, text, message):
    (tmp_path / "p.jsonl").write_text(text)
    assert main(["evaluate", str(tmp_path / "p.jsonl"), root, "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_split_is_told(root, tmp_path, capsys):
    (tmp_path / "p.jsonl").write_text('{"id": "a", "text": "b"}')
    assert main(["evaluate", str(tmp_path / "p.jsonl"), root, "--split", "val"]) == 2
    assert "only test" in capsys.readouterr().err


def test_no_answer_can_write_into_the_page(root, tmp_path):
    lines = [{"id": each.question_id, "text": "<script>alert(1)</script>"} for each in questions(root)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["evaluate", str(tmp_path / "p.jsonl"), root, "-o", str(tmp_path / "out")]) == 0
    assert "<script>" not in (tmp_path / "out/page.html").read_text()


def test_a_real_checkpoint_answers_and_a_second_run_asks_nothing(root, tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    from tests.checkpoints import llava

    llava(tmp_path / "model", ("a", "ship"))
    command = ["evaluate", str(tmp_path / "model"), root, "--dialect", "llava", "--limit", "4", "-o", str(tmp_path / "out")]
    assert main([*command, "--max-tokens", "4"]) == 0
    first = (tmp_path / "out/predictions.jsonl").read_bytes()
    monkeypatch.setattr("rsflow.generation.local_model.LocalModel.open", lambda self: pytest.fail("asked again"))
    assert main([*command, "--max-tokens", "4"]) == 0
    assert (tmp_path / "out/predictions.jsonl").read_bytes() == first


def test_meteor_runs_where_java_is_there_and_says_why_where_not(monkeypatch):
    texts = [["a harbour with two ships"], ["a forest"]]
    if shutil.which("java"):
        assert score_texts(texts, ["a harbour with two ships", "a forest"], meteor=True)["meteor"] == pytest.approx(1.0)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match="Java"):
        score_texts(texts, ["a", "b"], meteor=True)


@pytest.mark.parametrize(
    ("value", "text", "right"),
    [
        ("left", "left", True),
        ("left", "It is on the left.", True),
        ("left", "upper left", False),
        ("upper left", "In the upper left", True),
        ("upper left", "left", False),
        ("left", "left or right", False),
        ("left", "upper left, left, right", False),
    ],
)
def test_a_place_is_neither_a_part_of_its_name_nor_one_of_a_list(root, value, text, right):
    place = next(each for each in questions(root) if each.kind == "category")
    place = replace(place, kind="place", answer={"kind": "place", "value": value})
    (scored,) = score_answers([(place, Answer(place.question_id, text))], QWEN)
    assert scored.measures == {"accuracy": float(right)}


@pytest.mark.parametrize(
    ("value", "text", "measures"),
    [
        ("yes", "Yes, there is.", {"accuracy": 1.0}),
        ("no", "yes", {"accuracy": 0.0}),
        ("1,204", "There are 1200.", {"accuracy": 0.0, "count_error": 4.0}),
        ("3", "three", {"accuracy": 1.0, "count_error": 0.0}),
        ("rural", "It is a rural area.", {"accuracy": 1.0}),
        ("rural", "rural or urban", {"accuracy": 0.0}),
        ("between 10m2 and 100m2", "Between 10m2 and 100m2", {"accuracy": 1.0}),
    ],
)
def test_an_annotators_answer_is_judged_as_what_it_is(root, value, text, measures):
    first = next(each for each in questions(root) if each.kind == "count")
    asked = replace(first, kind="answer", prompt="Is it rural or urban?", answer={"kind": "answer", "value": value})
    other = replace(
        asked, question_id="b", prompt=f"Answer briefly. {asked.prompt}", answer={"kind": "answer", "value": "urban"}
    )
    scored, _ = score_answers([(asked, Answer("a", text)), (other, Answer("b", "urban"))], QWEN)
    assert scored.measures == measures
    assert scored.parsed


def test_naming_every_class_is_no_answer(root):
    first = next(each for each in questions(root) if each.kind == "category")
    second = replace(first, question_id="b", answer={"kind": "category", "value": "forest"})
    rows = [(each, Answer(each.question_id, "harbour or forest")) for each in (first, second)]
    assert [row.measures["accuracy"] for row in score_answers(rows, QWEN)] == [0, 0]


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("A storage tank near the top.", {"accuracy": 1.0}),
        ("The ship in the upper left.", {"accuracy": 0.0}),
        ("A storage tank or a ship", {"accuracy": 0.0}),
        (None, {"accuracy": 0.0}),
    ],
)
def test_a_regions_caption_is_right_where_it_names_the_category(root, text, measures):
    caption = next(each for each in questions(root) if each.kind == "text")
    names = {"storage_tank": "The storage tank in the upper left.", "ship": "The ship.", "Schiff": "Das Boot."}
    tank, ship, boat = (
        replace(caption, question_id=name, reference=words, answer={"kind": "text", "box": 0, "category": name})
        for name, words in names.items()
    )
    rows = [(tank, Answer("t", text)), (ship, Answer("s", "a ship")), (boat, Answer("b", "Ein Boot"))]
    assert [row.measures for row in score_answers(rows, QWEN)] == [measures, {"accuracy": 1.0}, {}]
    assert tank.subject == ""  # a control must not be told the answer


def test_box_spellings_are_no_words_of_a_caption(root):
    question = next(each for each in questions(root) if each.kind == "text")
    spelled = QWEN.spell("A harbour with [[1 grey ships|0]].", (tuple(BOXES[0]),), question.height_px, question.width_px)
    (scored,) = score_answers([(question, Answer(question.question_id, spelled))], QWEN)
    assert split_words(scored.words) == "a harbour with 1 grey ships"


@pytest.mark.parametrize(("text", "right"), [("右上方", 1.0), ("右上方。", 1.0), ("右方", 0.0), ("左上方 右上方", 0.0)])
def test_an_answer_in_another_script_is_right_where_it_is_the_very_answer(root, text, right):
    question = next(each for each in questions(root) if each.kind == "category")
    question = replace(question, kind="place", reference="右上方", answer={"kind": "place", "value": "upper right"})
    (scored,) = score_answers([(question, Answer(question.question_id, text))], QWEN)
    assert scored.measures == {"accuracy": right}
