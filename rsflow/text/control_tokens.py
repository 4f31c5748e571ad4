"""Special tokens of chat templates and control characters in text from outside.

A caption, a category or an answer that holds `<|im_end|>` ends the turn when a tokenizer reads it, one with `<image>` asks for
a picture that is not there, and a bidi override shows people another text than models read. Text from outside (annotations,
imported sets, models' answers) passes `find_control_token` before it is stored and before it is exported. The table lists the
tokens literally by model family; `<|...|>` is refused whatever it holds. Ordinary text stays: "a < b", "<25 m", "<5>".
"""

from __future__ import annotations

import re
from typing import Any

from rsflow.errors import DataError

# From the tokenizers and chat templates of the released models (tokenizer_config.json, added_tokens), `<|...|>` left out.
TOKENS: dict[str, tuple[str, ...]] = {
    "qwen": ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"),
    "llava": ("<s>", "</s>", "<unk>", "<pad>", "<image>", "<video>", "<im_start>", "<im_end>", "<im_patch>", "<ImageHere>"),
    "internvl": ("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"),
    "llama": ("<<SYS>>", "<</SYS>>"),
    "swift": ("<ref-object>", "<bbox>", "<cot-process>", "<audio>", "<start-image>"),
    "mistral": (
        *("[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        *("[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
        *("[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[THINK]", "[/THINK]"),
    ),
    "gemma": (
        *("<bos>", "<eos>", "<mask>", "<start_of_turn>", "<end_of_turn>"),
        *("<start_of_image>", "<end_of_image>", "<image_soft_token>"),
    ),
    "phi": ("<nl>",),  # all else is <|...|>
    "geochat": ("<p>", "</p>", "<delim>"),
    "kosmos": ("<grounding>", "<phrase>", "</phrase>", "<object>", "</object>", "</delimiter_of_multi_objects/>"),
    "lisa": ("[SEG]", "<seg>"),
    "deepseek": ("<image_placeholder>", "<grounding>"),
    "molmo": ("<im_col>",),
    "janus": ("<begin_of_image>", "<boi>", "<eoi>"),
    "smolvlm": ("<end_of_utterance>", "<fake_token_around_image>", "<global-img>"),
}

_LITERAL = "|".join(re.escape(token) for tokens in TOKENS.values() for token in tokens)
_NUMBERED = (
    r"<(?:image_?\d+|row_\d+_col_\d+|unused\d+|reserved_\d+|loc_?\d+|seg_?\d+|"
    r"img_?\d+|bbox_?\d+|extra_id_\d+|patch_index_\d+|image_(?:pad|start|end|newline))>"
)
_PIPED = r"<[|｜][^<>|｜\n]{1,80}[|｜]>"
_TOKEN = re.compile(f"{_PIPED}|{_NUMBERED}|{_LITERAL}", re.IGNORECASE)
# C0 and C1 controls but tab, line feed and carriage return; bidi embeddings, overrides, isolates and marks; line separators;
# interlinear and tag characters; halves of surrogate pairs, which JSON can spell and no file can hold.
_CHARACTER = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# Without width, and no script needs them: a name with one is another name, and a token with one is none until they go.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060-\u2064\u206a-\u206f\ufeff]")
# Between ASCII letters a joiner has nothing to join.
_ASCII_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]+(?![^\x00-\x7f])")


def strip_invisible(text: str) -> str:
    """The text without characters that nobody sees; joiners (U+200C, U+200D) stay beside what is not ASCII."""
    return text if text.isascii() else _ASCII_JOINER.sub("", _INVISIBLE.sub("", text))


def find_control_token(text: str) -> str:
    """The first special token or control character of the text in printable form; empty without one."""
    if match := _CHARACTER.search(text):
        return f"U+{ord(match[0]):04X}"
    match = _TOKEN.search(text) if "<" in text or "[" in text else None
    return match[0] if match else ""


def neutralise(text: str) -> str:
    """The text without control characters, and with special tokens as plain words: `<|im_end|>` becomes `im_end`."""
    text = _CHARACTER.sub("", strip_invisible(text))
    while _TOKEN.search(text):
        text = _TOKEN.sub(lambda match: match[0].strip("<>[]|｜/"), text)
    return text


def neutralise_value(value: Any) -> Any:
    """A JSON value with every text in it neutralised; the keys of objects are rsflow's own and stay."""
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, dict):
        return {key: neutralise_value(one) for key, one in value.items()}
    return [neutralise_value(one) for one in value] if isinstance(value, list | tuple) else value


def neutralise_instruction(instruction: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The instruction with its turns and answer neutralised, and whether that changed anything."""
    plain = {name: neutralise_value(instruction[name]) for name in ("turns", "answer")}
    changed = any(plain[name] != instruction[name] for name in plain)
    return ({**instruction, **plain} if changed else instruction), changed


def refuse_control_tokens(text: str, what: str) -> None:
    """DataError `control_token` where the text holds one. `what` names it: caption, category, answer."""
    if found := find_control_token(text):
        shown = text if len(text) <= 80 else text[:77] + "..."
        raise DataError("control_token", f"the {what} {shown!r} holds {found}, which models read as a command: take it out")
