"""Chinese chains of reasoning: a sentence for each step of the program that was run, the last one with the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsflow.instructions.languages.zh_texts import PICTURES
from rsflow.instructions.languages.zh_words import amount, measure_word
from rsflow.text.turns import mark

Name = Callable[[str], str]
Words = tuple[dict[str, str], str]  # placeholders, answer

_THIRDS = {"top": "上部三分之一", "bottom": "下部三分之一", "left": "左侧三分之一", "right": "右侧三分之一"}
_STEPS = "请逐步说明。"

PHRASINGS: dict[str, tuple[str, ...]] = {
    "more_of": (
        "图中的{one}比{other}多吗？" + _STEPS,
        "请比较{one}和{other}的数量：{one}更多吗？",
        "先数{one}，再数{other}，{one}是否更多？",
        "这幅图像里{one}的数量超过{other}吗？请给出推理过程。",
        "{one}是不是比{other}多？请说明理由。",
        "请一步一步判断：{one}多于{other}吗？",
    ),
    "count_inside": (
        "图像{third}有多少{measure}{noun}？" + _STEPS,
        "请找出所有{noun}，再数一数位于图像{third}的有多少。",
        "所有{noun}中，有多少在图像{third}？请写出步骤。",
        "只看图像{third}，能数到多少{measure}{noun}？请解释。",
        "先定位{noun}，再统计落在图像{third}的数量。",
        "位于图像{third}的{noun}共有多少？请给出推理过程。",
    ),
    "nearest_to": (
        "哪一{measure}{noun}离{landmark}最近？" + _STEPS,
        "请找出距{landmark}最近的{noun}。",
        "从{landmark}出发，最近的{noun}在哪里？请写出步骤。",
        "比较各{measure}{noun}到{landmark}的距离，哪一个最小？",
        "先定位{landmark}，再用边界框指出离它最近的{noun}。",
        "与{landmark}相邻最近的是哪一{measure}{noun}？请说明理由。",
    ),
    "distance_between": (
        "{one}与{other}在地面上相距多远？" + _STEPS,
        "请估计{one}到{other}的地面距离。",
        "{one}和{other}之间有多少米？请给出推理过程。",
        "先定位{one}和{other}，再说出两者的距离。",
        "从{one}到{other}的直线距离是多少米？",
        "请一步一步测量{one}与{other}的间距。",
    ),
    "left_after": (
        "如果其中{gone}离开，还剩多少{measure}{noun}？" + _STEPS,
        "假设{gone}{noun}不在图中，{noun}还有多少？",
        "先数{noun}，再减去{gone}，结果是多少？",
        "移走{gone}{noun}之后，图中还有几{measure}{noun}？请写出步骤。",
        "若少了{gone}，图中{noun}的数量会变成多少？",
        "从图中的{noun}里去掉{gone}，还剩下多少？请解释。",
    ),
    "share_covered": (
        "{noun}覆盖了图像的百分之多少？" + _STEPS,
        "请估计{noun}占图像面积的比例，并写出步骤。",
        "找出{noun}，计算它们覆盖图像的比例。",
        "按轮廓计算，{noun}占了图像的多大部分？",
        "{noun}的总面积约占图像的百分之几？请解释。",
        "请一步一步估计{noun}覆盖的比例。",
    ),
    "unanswerable_colour": (
        "图中的{noun}是什么颜色？",
        "请说出{noun}的颜色。",
        "{noun}的真实颜色是什么？",
        "请描述图中{noun}的颜色。",
        "能看出{noun}是什么颜色吗？",
        "{noun}是红色、白色还是其他颜色？",
    ),
    "unanswerable_temperature": (
        "图中的{noun}温度是多少？",
        "请说出{noun}的温度。",
        "{noun}比周围的地面更热吗？",
        "请描述{noun}有多热。",
        "能看出{noun}的温度吗？",
        "{noun}的表面温度是多少度？",
    ),
}


def chain(answer: dict[str, Any], name: Name) -> Words:
    """The question's placeholders and the answer of a chain that was run."""
    return _CHAINS[answer["chain"]](answer["steps"], name)


def unanswerable(quantity: str, sensor: str, noun: str) -> Words:
    why = "没有颜色信息" if quantity == "colour" else "只记录反射光，不反映温度"
    return {"noun": noun}, f"无法从这幅图像判断：这是{PICTURES[sensor]}，{why}。"


def _located(step: dict[str, Any], name: Name) -> str:
    noun, found = name(step["category"]), step["result"]
    return f"图中有{mark(amount(len(found), noun), *found)}。" if found else f"图中没有{noun}。"


def _more_of(steps: list[dict[str, Any]], name: Name) -> Words:
    one, other = name(steps[0]["category"]), name(steps[2]["category"])
    a, b, result = steps[1]["result"], steps[3]["result"], steps[4]["result"]
    verdict = {
        "more": f"{a}大于{b}，所以是的，{one}比{other}多。",
        "fewer": f"{a}小于{b}，所以不是，{one}比{other}少。",
        "equal": f"两者都是{a}，所以不是，{one}和{other}一样多。",
    }[result]
    return {"one": one, "other": other}, _located(steps[0], name) + _located(steps[2], name) + verdict


def _count_inside(steps: list[dict[str, Any]], name: Name) -> Words:
    noun, third = name(steps[0]["category"]), _THIRDS[steps[1]["place"]]
    inside, count = steps[1]["result"], steps[2]["result"]
    measure = measure_word(noun)
    which = f"其中{mark(f'{count}{measure}', *inside)}位于图像{third}" if inside else f"没有一{measure}位于图像{third}"
    return {"noun": noun, "measure": measure, "third": third}, f"{_located(steps[0], name)}{which}，所以数量是{count}。"


def _nearest_to(steps: list[dict[str, Any]], name: Name) -> Words:
    landmark, noun = name(steps[0]["category"]), name(steps[1]["category"])
    measure = measure_word(noun)
    text = f"{landmark}位于{mark('', *steps[0]['result'])}。{_located(steps[1], name)}"
    nearest = f"离{landmark}最近的一{measure}位于{mark('', *steps[2]['result'])}。"
    return {"noun": noun, "measure": measure, "landmark": landmark}, text + nearest


def _distance_between(steps: list[dict[str, Any]], name: Name) -> Words:
    one, other = name(steps[0]["category"]), name(steps[1]["category"])
    where = "".join(f"{noun}位于{mark('', *step['result'])}。" for noun, step in ((one, steps[0]), (other, steps[1])))
    return {"one": one, "other": other}, f"{where}两者中心在地面上相距约{steps[2]['result']:g}米。"


def _left_after(steps: list[dict[str, Any]], name: Name) -> Words:
    noun, count, taken, left = name(steps[0]["category"]), steps[1]["result"], steps[2]["number"], steps[2]["result"]
    measure = measure_word(noun)
    text = (
        f"{_located(steps[0], name)}{count}减{taken}等于{left}，所以还剩{amount(left, noun) if left else f'0{measure}{noun}'}。"
    )
    return {"noun": noun, "measure": measure, "gone": f"{taken}{measure}"}, text


def _share_covered(steps: list[dict[str, Any]], name: Name) -> Words:
    noun = name(steps[0]["category"])
    return {"noun": noun}, f"{_located(steps[0], name)}按轮廓计算，约覆盖图像的{100 * steps[1]['result']:g}%。"


_CHAINS: dict[str, Callable[[list[dict[str, Any]], Name], Words]] = {
    "more_of": _more_of,
    "count_inside": _count_inside,
    "nearest_to": _nearest_to,
    "distance_between": _distance_between,
    "left_after": _left_after,
    "share_covered": _share_covered,
}
