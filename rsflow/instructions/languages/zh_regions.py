"""Chinese answers about given regions and about the relations of objects, from what English says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsflow.instructions.languages.zh_words import PLACES, amount
from rsflow.text.turns import mark, path_mark

Name = Callable[[str], str]
Words = tuple[dict[str, str], str, str]  # placeholders, short answer, full answer

PREDICATES = {"left of": "左侧", "right of": "右侧", "above": "上方", "below": "下方", "inside": "内部"}
_SIZES = {"small": "小型", "medium-sized": "中等大小的", "large": "大型"}
_FORMS = {"polygon": "轮廓", "point": "点", "scribble": "涂画线"}

PHRASINGS: dict[str, tuple[str, ...]] = {
    "region_captioning": (
        "请简要描述区域{box}。",
        "{box}中是什么？",
        "请用几个词说明{box}的内容。",
        "框{box}里有什么目标？",
        "请说出区域{box}显示的内容。",
        "边界框{box}标出的是什么？",
    ),
    "region_given": (
        "请简要描述{region}所指的目标。",
        "{region}处是什么？",
        "请用几个词说明{region}指的是什么。",
        "{region}标出了什么目标？",
        "请描述{region}所在的目标。",
        "{region}显示的是什么？",
    ),
    "region_class": (
        "{region}所指的目标属于什么类别？",
        "请给出{region}处目标的类别。",
        "{region}标出的是哪一类目标？",
        "请用一个词回答：{region}处是什么？",
        "{region}显示的目标是哪一种？",
        "请判断{region}所指目标的种类。",
    ),
    "relation_between": (
        "{subject}位于{object}的哪一侧？",
        "{subject}在{object}的什么方位？",
        "请说出{subject}相对于{object}的位置。",
        "从{object}看，{subject}在哪里？",
        "{subject}和{object}是什么方位关系？",
        "请补全关系：{subject}在{object}的……",
    ),
    "scene_graph": tuple(
        text + "先用编号和边界框列出目标，再逐条写出明确的关系（主体，关系，客体）。"
        for text in (
            "请给出这幅图像的场景图。",
            "请列出图中的目标以及它们之间的方位关系。",
            "图中有哪些目标？它们之间是什么关系？",
            "请用场景图描述这幅遥感图像。",
            "请把图像内容整理成目标和关系。",
            "图中各目标是怎样排列的？请用场景图回答。",
        )
    ),
    "detection_all": (
        "请检测图中的所有目标。",
        "请找出图中所有目标并给出边界框。",
        "图中有哪些目标？分别在哪里？请给出边界框。",
        "请按类别列出所有目标的水平边界框。",
        "请用矩形框标出图中的每一个目标。",
        "请给出画面中全部目标的边界框。",
    ),
    "detection_all_oriented": (
        "请用旋转边界框检测图中的所有目标。",
        "请找出图中所有目标并给出旋转框。",
        "图中有哪些目标？分别在哪里？请给出旋转框。",
        "请按类别列出所有目标的旋转边界框。",
        "请用旋转框标出图中的每一个目标。",
        "请给出画面中全部目标的旋转边界框。",
    ),
}


def region(content: dict[str, Any], answer: dict[str, Any], name: Name) -> Words:
    """What a given region shows; an empty answer where annotators described it in words of their own."""
    fill = {"box": mark("", 0), "region": region_words(answer)}
    if not content:
        return fill, "", ""
    place = f"图像{PLACES[content['place']]}的" if content["place"] else ""
    text = f"{place}{_SIZES.get(content['size'], '')}{name(content['category'])}"
    text += f"，名为{content['name']}" if content["name"] else ""
    if content["is_cut_off"]:
        text += "，被图像边缘截断"
    elif content["sides_m"]:
        longer, shorter = map(_length, content["sides_m"])
        text += f"，位于约{longer}×{shorter}的{'旋转' if content['is_oriented'] else ''}框内"
    return fill, f"{text}。", f"这是{text}。"


def region_class(answer: dict[str, Any], name: Name) -> Words:
    noun = name(answer["value"])
    return {"region": region_words(answer)}, noun, f"这是{noun}。"


def region_words(answer: dict[str, Any]) -> str:
    form = answer.get("form", "box")
    if form == "marks":
        return f"标记{answer['mark']}"
    return f"{_FORMS[form]}{path_mark(0)}" if form in _FORMS else f"框{mark('', 0)}"


def predicate(answer: dict[str, Any], name: Name) -> Words:
    one, other = mark(name(answer["subject"]), 0), mark(name(answer["object"]), 1)
    way = PREDICATES[answer["value"]]
    return {"subject": one, "object": other}, way, f"{one}在{other}的{way}。"


def scene_graph(answer: dict[str, Any], name: Name) -> Words:
    lines = [f"{place}：{mark(name(one['category']), one['box'])}" for place, one in enumerate(answer["objects"], 1)]
    text = "\n".join([*lines, *map(_triple, answer["triples"])])
    return {}, text, text


def _triple(one: dict[str, Any]) -> str:
    distance = f"，{one['metres']:g}米" if "metres" in one else ""
    return f"（{one['subject'] + 1}，在…{PREDICATES[one['predicate']]}，{one['object'] + 1}{distance}）"


def english_triples(text: str) -> str:
    """A text whose Chinese triples are written as English ones are, for whoever reads these."""
    for english, chinese in PREDICATES.items():
        text = text.replace(f"在…{chinese}", english)
    return text.translate(str.maketrans("（），", "(),"))


def all_boxes(answer: dict[str, Any], name: Name) -> Words:
    named = [mark(amount(one["count"], name(one["category"])), *one["boxes"]) for one in answer["groups"]]
    text = f"图中有{'、'.join(named)}"
    return {}, text, f"{text}。"


def _length(length_m: float) -> str:
    """Two significant digits, as in English."""
    return f"{float(f'{length_m:.2g}'):g}米" if length_m < 1000 else f"{length_m / 1000:.2g}公里"
