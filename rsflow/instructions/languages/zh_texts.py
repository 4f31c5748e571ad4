"""Chinese captions and descriptions: sentences of their own, from what a tile holds (rsflow.instructions.wording.content)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsflow.instructions.languages.zh_words import PLACES, amount
from rsflow.instructions.wording.english import percent_phrase

Name = Callable[[str], str]

PICTURES = {"optical": "光学遥感图像", "sar": "合成孔径雷达（SAR）图像", "infrared": "热红外图像"}
_CAPTIONS = (
    "这幅{picture}中有{things}{ground}。",
    "{picture}显示了{things}{ground}。",
    "图中可见{things}{ground}，这是一幅{picture}。",
)
_GROUNDS = ("这幅{picture}{ground}。", "{picture}显示，{ground}。", "图中{ground}，这是一幅{picture}。")

PHRASINGS: dict[str, tuple[str, ...]] = {
    "captioning": (
        "请用一句话描述这幅图像。",
        "请为这幅遥感图像写一句说明。",
        "这幅图像显示了什么？用一句话回答。",
        "用一句话概括图中的内容。",
        "请简要描述这一场景。",
        "请给出这幅图像的标题。",
    ),
    "description": (
        "请详细描述这幅图像，先说局部，再作总结。",
        "请对这幅遥感图像作详细说明。",
        "图中能看到什么？请逐项说明并总结。",
        "请写一段话，从细节到整体描述这幅图像。",
        "请详细说明图像显示的内容。",
        "请全面描述这一场景。",
    ),
}


def caption(content: dict[str, Any], name: Name) -> str:
    """One sentence; empty where nothing is known but how the picture looks."""
    picture, choice = PICTURES[content["sensor"]], content["choice"]
    things, ground = _things(content, name), _ground(content, name)
    if things:
        form = _CAPTIONS[choice % len(_CAPTIONS)]
        return form.format(picture=picture, things=things, ground=f"，{ground}" if ground else "")
    return _GROUNDS[choice % len(_GROUNDS)].format(picture=picture, ground=ground) if ground else ""


def description(content: dict[str, Any], name: Name) -> str:
    """A sentence about each kind of object and the ground, then one about the whole; empty with fewer than two of the first."""
    parts = [_object_sentence(one, name) for one in content["objects"][:6]]
    if content["covers"]:
        shares = [f"{name(one['category'])}{_percent(one['share'])}" for one in content["covers"]]
        parts.append(f"按面积计，{'、'.join(shares)}。")
    if len(parts) < 2:
        return ""
    things, ground = _things(content, name), _ground(content, name)
    rest = "，".join(part for part in (f"图中有{things}" if things else "", ground) if part)
    return f"{''.join(parts)}总之，这是一幅{PICTURES[content['sensor']]}，{rest}。"


def _object_sentence(one: dict[str, Any], name: Name) -> str:
    noun, count = name(one["category"]), _number(one, name)
    if one["place"]:
        all_of = "都" if one["count"] > 1 else ""
        return f"图中有{count}，{all_of}位于图像{PLACES[one['place']]}。"
    if one["largest"]:
        return f"图中有{count}，其中最大的{noun}位于图像{PLACES[one['largest']]}。"
    return f"图中有{count}。"


def _things(content: dict[str, Any], name: Name) -> str:
    named = [_number(one, name) for one in content["objects"]]
    if len(named) == 1 and content["objects"][0]["count"] == 1 and content["objects"][0]["place"]:
        return f"位于{PLACES[content['objects'][0]['place']]}的{named[0]}"
    if len(named) > 5:
        return "、".join(named[:5]) + "等目标"
    return "、".join(named[:-1]) + "和" + named[-1] if len(named) > 1 else "".join(named)


def _number(one: dict[str, Any], name: Name) -> str:
    noun = name(one["category"])
    if one["many"]:
        return f"许多{noun}"
    return f"{'' if one['exact'] or one['count'] == 1 else '至少'}{amount(one['count'], noun)}"


def _ground(content: dict[str, Any], name: Name) -> str:
    covers = content["covers"]
    if not covers:
        return ""
    nouns = [name(one["category"]) for one in covers]
    rest = f"，并有{'、'.join(nouns[1:])}" if nouns[1:] else ""
    if content["ground"] == "mostly":
        return f"地表以{nouns[0]}为主{rest}"
    if content["ground"] == "mixed":
        return f"地表由{'、'.join(nouns)}组成"
    return f"部分地表为{'、'.join(nouns)}"


def _percent(share: float) -> str:
    return percent_phrase(share).replace("about ", "约占").replace("almost ", "几乎占")
