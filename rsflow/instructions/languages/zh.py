"""Chinese (simplified): questions and answers made from structured answers.

Nouns take their own measure word (`zh_words.MEASURES`), else the general 个. Category names are those of `zh_words` or the
configuration's (`instructions.names`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from rsflow.instructions.languages import zh_chains, zh_regions, zh_texts
from rsflow.instructions.languages.zh_words import NAMES, OUTERMOST, PHRASINGS, PLACES, WAYS, amount, measure_word
from rsflow.instructions.question_answers import QuestionAnswer
from rsflow.instructions.wording.english import percent_phrase, singular_noun
from rsflow.text.turns import mark, outline_mark

_PHRASE = re.compile(r"the (?:(largest|leftmost|rightmost|topmost|bottommost) )?(.+?)(?: (?:in the|at the|on the) (.+))?")


class _UnnamedError(LookupError):
    """No name of a category is known."""


def compose(qa: QuestionAnswer, names: Mapping[str, str]) -> QuestionAnswer | None:
    """The question in Chinese; None for a kind or a category without words."""
    make = _MAKERS.get(qa.kind)
    if make is None or qa.own_phrasings:
        return None
    try:
        fill, short, full = make(qa, lambda category: _name(category, names))
    except _UnnamedError:
        return None
    if not short:
        return None
    return replace(qa, own_phrasings=_PHRASINGS[qa.kind], placeholders=fill, short_answer=short, full_answer=full)


Name = Callable[[str], str]
Words = tuple[dict[str, str], str, str]  # placeholders, short answer, full answer


def _name(category: str, names: Mapping[str, str]) -> str:
    noun = singular_noun(category)
    found = names.get(category) or names.get(noun) or NAMES.get(noun) or NAMES.get(category)
    if not found:
        raise _UnnamedError(category)
    return found


def _category(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    value = name(answer["value"])
    return {}, f"{value}。", f"类别是{value}。"


def _presence(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    noun = name(answer["category"])
    where = f"图像{PLACES[answer['place']]}" if "place" in answer else "图中"
    fill = {"noun": noun, "place": PLACES[answer["place"]]} if "place" in answer else {"noun": noun}
    return (
        fill,
        "有" if answer["value"] else "没有",
        f"{'有' if answer['value'] else '没有'}，{where}{'有' if answer['value'] else '没有'}{noun}。",
    )


def _count(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    noun, count = name(answer["category"]), answer["value"]
    measure = measure_word(noun)
    fill = {"noun": noun, "measure": measure}
    return fill, str(count), f"图中有{amount(count, noun)}。" if count else f"图中没有{noun}。"


def _count_about(qa: QuestionAnswer, name: Name) -> Words:
    noun, count_text = name(qa.answer["category"]), qa.short_answer.replace("about ", "约")
    fill = {"noun": noun, "percent": str(qa.answer["tolerance_percent"]), "measure": measure_word(noun)}
    return fill, count_text, f"图中{count_text}{measure_word(noun)}{noun}。"


def _place(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    place, thing = PLACES[answer["value"]], _phrase(qa.placeholders["subject"], name)
    return {"thing": thing}, place, f"{thing}位于图像{place}。"


def _relation(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    subject, other, way = name(answer["subject"]), name(answer["object"]), WAYS[answer["value"]]
    return {"subject": subject, "object": other}, way, f"{subject}在{other}的{way}。"


def _dominant(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    value = name(answer["value"])
    return {}, value, f"图像以{value}为主。"


def _share(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    noun = name(answer["category"])
    share_text = percent_phrase(answer["value"]).replace("about ", "约").replace("almost ", "几乎")
    return {"noun": noun}, share_text, f"{noun}所占比例为{share_text}。"


def _grounding(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    phrase = _phrase(answer["phrase"], name)
    return {"phrase": phrase}, mark("", 0), f"{phrase}位于{mark('', 0)}。"


def _outline(qa: QuestionAnswer, name: Name) -> Words:
    answer = qa.answer
    phrase = _phrase(answer["phrase"], name)
    return {"phrase": phrase}, outline_mark("", 0), f"{phrase}的范围是{outline_mark('', 0)}。"


def _listed(write: Callable[..., str]) -> Callable[[QuestionAnswer, Name], Words]:
    def words(qa: QuestionAnswer, name: Name) -> Words:
        answer = qa.answer
        noun, count = name(answer["category"]), answer["count"]
        text = f"共有{write(amount(count, noun), *answer['boxes'])}" if count else f"图中没有{noun}。"
        return {"noun": noun}, text, text if text.endswith("。") else f"{text}。"

    return words


def _text(write: Callable[..., str]) -> Callable[[QuestionAnswer, Name], Words]:
    """Of captions and descriptions: those that annotators wrote have no content of their own and stay as they are."""

    def words(qa: QuestionAnswer, name: Name) -> Words:
        text = write(qa.content, name) if qa.content else ""
        return {}, text, text

    return words


def _chain(qa: QuestionAnswer, name: Name) -> Words:
    fill, text = zh_chains.chain(qa.answer, name)
    return fill, text, text


def _unanswerable(qa: QuestionAnswer, name: Name) -> Words:
    fill, text = zh_chains.unanswerable(qa.answer["asked"], qa.content["sensor"], name(qa.subject))
    return fill, text, text


def _phrase(phrase: str, name: Name) -> str:
    """`the largest ship`, `the ship in the upper left` (rsflow.instructions.wording.references) in Chinese."""
    found = _PHRASE.fullmatch(phrase)
    place = found[3] if found else None
    if not found or (place and place not in PLACES):
        raise _UnnamedError(phrase)
    return f"{PLACES[place] + '的' if place else ''}{OUTERMOST.get(found[1], '')}{name(found[2])}"


_PHRASINGS = {**PHRASINGS, **zh_texts.PHRASINGS, **zh_chains.PHRASINGS, **zh_regions.PHRASINGS}
_MAKERS: dict[str, Callable[[QuestionAnswer, Name], Words]] = {
    "classification": _category,
    "classification_object": _category,
    "presence": _presence,
    "presence_at": _presence,
    "count": _count,
    "count_about": _count_about,
    "place": _place,
    "relation": _relation,
    "dominant_cover": _dominant,
    "cover_presence": _presence,
    "cover_share": _share,
    "grounding": _grounding,
    "grounding_oriented": _grounding,
    "detection_one": _listed(mark),
    "detection_one_oriented": _listed(mark),
    "captioning": _text(zh_texts.caption),
    "description": _text(zh_texts.description),
    **dict.fromkeys(zh_chains.PHRASINGS, _chain),
    "unanswerable_colour": _unanswerable,
    "unanswerable_temperature": _unanswerable,
    "segmentation": _outline,
    "segmentation_all": _listed(outline_mark),
    **dict.fromkeys(["detection_all", "detection_all_oriented"], lambda qa, name: zh_regions.all_boxes(qa.answer, name)),
    **dict.fromkeys(["region_captioning", "region_given"], lambda qa, name: zh_regions.region(qa.content, qa.answer, name)),
    "region_class": lambda qa, name: zh_regions.region_class(qa.answer, name),
    "relation_between": lambda qa, name: zh_regions.predicate(qa.answer, name),
    "scene_graph": lambda qa, name: zh_regions.scene_graph(qa.answer, name),
}
