"""Batches that a vision-language model of `transformers` trains on, by the model's own processor.

One idea: the processor's chat template and tokenizer decide everything about text and pictures; what is added here is
`labels`, the input ids of the assistant's turns (closing token included) and -100 elsewhere. Where the template marks the
assistant's text (`{% generation %}`), the marks are used; else the prompt before each answer is rendered and must be a prefix
of the whole conversation, so the answer is what follows it. The processor expands picture tokens, which all come before the
first answer, so labels are computed on the plain text and aligned with the end of the row, token by token; a disagreement is
an error.

Refused, because training would be wrong: a processor that resizes pictures to other sizes than their boxes were written for, a
template that is neither marked nor stable, text that contains the picture token, and a conversation whose first exchange is
longer than `max_tokens`. Answers are never truncated: whole exchanges are removed from the end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from rsflow.dialects import get_dialect
from rsflow.dialects.spelling.several_pictures import picture_names
from rsflow.errors import ConfigError, SnapshotError
from rsflow.loading.decoding.decode import decode_picture
from rsflow.loading.decoding.row_masks import MaskSize, check_mask_size, row_masks
from rsflow.loading.decoding.sizes import check_picture_sizes
from rsflow.loading.number_values import check_at_least

_LOG = logging.getLogger("rsflow.loading")
_OPEN_ANSWERS = "the chat template of %s closes answers with no special token, so no model learns where they end: add eos_token"
IGNORED = -100  # what torch's cross entropy, and so every model of transformers, leaves out
Example = Mapping[str, Any]
Grouping = Literal["joined", "each", "first"]
Pictures = Literal["own", "all", "none"]


@dataclass(frozen=True)
class Conversation:
    """One conversation about one sample's pictures, which all come before its first words."""

    key: str
    images: tuple[Any, ...]
    turns: tuple[tuple[str, str], ...]  # (role, text), user and assistant in turn
    names: tuple[str, ...] = ()  # what stands before each picture; none where nothing does
    instructions: tuple[Example, ...] = ()  # whose turns these are

    def first(self, count: int) -> Conversation:
        """The first turns alone, and the instructions that are whole in them."""
        ends = accumulate(len(one["turns"]) for one in self.instructions)
        whole = tuple(one for one, end in zip(self.instructions, ends, strict=True) if end <= count)
        return replace(self, turns=self.turns[:count], instructions=whole)

    def picture_parts(self) -> list[dict[str, str]]:
        """The pictures as parts of a message, each after its name, on a line of its own."""
        parts: list[dict[str, str]] = []
        for place, name in enumerate(self.names or ("",) * len(self.images)):
            parts += [{"type": "text", "text": ("\n" if place else "") + name}] if name else []
            parts.append({"type": "image"})
        return [*parts, {"type": "text", "text": "\n"}] if self.names else parts


class TokenizedConversation(NamedTuple):
    """A conversation's tokens before picture tokens are expanded; the mask is True on the assistant's turns."""

    ids: list[int]
    mask: list[bool]


@dataclass(frozen=True)
class Collate:
    """What `collate` returns. It can be pickled as far as its processor can, so DataLoader workers may run it."""

    processor: Any
    grouping: Grouping
    max_tokens: int | None
    system: str | None
    pictures: Pictures
    masks: MaskSize | None = None

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        conversations_of_each = [_conversations(one, self.grouping, self.pictures) for one in examples]
        rows = [row for found in conversations_of_each for row in found]
        batch, tokenized = self._process(rows)
        check_picture_sizes(examples, _own_picture_positions(conversations_of_each), batch, self.processor)
        if self.max_tokens is not None and batch["input_ids"].shape[1] > self.max_tokens:
            rows = [
                self._truncate(row, ids, one, self.max_tokens)
                for row, ids, one in zip(rows, _unpadded_ids(batch), tokenized, strict=True)
            ]
            batch, tokenized = self._process(rows)
        labels = torch.full_like(batch["input_ids"], IGNORED)
        for i, (row, one) in enumerate(zip(rows, tokenized, strict=True)):
            places = batch["attention_mask"][i].nonzero()[:, 0]
            answer = places[_answer_places(row.key, batch["input_ids"][i][places].tolist(), one, self.processor)]
            labels[i, answer] = batch["input_ids"][i, answer]
        masks = {"masks": self._masks(examples, conversations_of_each, rows, batch)} if self.masks else {}
        return {**batch, "labels": labels, **masks}

    def _masks(
        self, examples: Sequence[Example], conversations_of_each: list[list[Conversation]], rows: list[Conversation], batch: Any
    ) -> list[torch.Tensor]:
        """Of each row the masks of its outlines. `conversations_of_each` are the rows as they were before truncation."""
        assert self.masks
        owners = [one for one, found in zip(examples, conversations_of_each, strict=True) for _ in found]
        firsts = accumulate((len(row.images) for row in rows[:-1]), initial=0)
        return [
            row_masks(one, row.instructions, self.masks, batch, first, self.processor)
            for one, row, first in zip(owners, rows, firsts, strict=True)
        ]

    def _process(self, rows: list[Conversation]) -> tuple[dict[str, Any], list[TokenizedConversation]]:
        texts = [self._text(row) for row in rows]
        token = getattr(self.processor, "image_token", None)
        for row in rows:
            if token and any(token in text for _, text in row.turns):
                raise SnapshotError(f"sample {row.key}: its text holds {token!r}, which stands for a picture to this processor")
        bos = self.processor.tokenizer.bos_token
        batch = self.processor(
            text=texts,
            images=[[_pixels(row.key, image) for image in row.images] for row in rows] if self.pictures != "none" else None,
            return_tensors="pt",
            padding=True,
            padding_side="right",
            add_special_tokens=not (bos and texts[0].startswith(bos)),
        )
        return dict(batch), [self._tokenize_with_mask(row, text) for row, text in zip(rows, texts, strict=True)]

    def _messages(self, row: Conversation) -> list[dict[str, Any]]:
        messages = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in row.turns]
        messages[0]["content"] = [*row.picture_parts(), *messages[0]["content"]]
        system = [] if self.system is None else [{"role": "system", "content": [{"type": "text", "text": self.system}]}]
        return [*system, *messages]

    def _text(self, row: Conversation, prompt: bool = False) -> str:
        return str(self.processor.apply_chat_template(self._messages(row), tokenize=False, add_generation_prompt=prompt))

    def _tokenize_with_mask(self, row: Conversation, text: str) -> TokenizedConversation:
        if "{% generation" in self.processor.chat_template or "{%- generation" in self.processor.chat_template:
            marked = self.processor.tokenizer.apply_chat_template(
                self._messages(row),
                chat_template=self.processor.chat_template,
                return_dict=True,
                return_assistant_tokens_mask=True,
            )
            return _with_closing_tokens(marked["input_ids"], marked["assistant_masks"], self.processor.tokenizer.eos_token_id)
        tokens = self.processor.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        spans = list(self._answers(row, text))
        # A token may begin before the answer, as " Two" does; one that reaches into the next question is not the answer's.
        mask = [any(start < stop and a < stop <= b for a, b in spans) for start, stop in tokens["offset_mapping"]]
        return TokenizedConversation(list(tokens["input_ids"]), mask)

    def closes_answers(self) -> bool:
        """Whether a special token ends an answer: without one a model does not learn where answers end."""
        row = Conversation("", (), (("user", "Water"), ("assistant", "Water")))
        ids, mask = self._tokenize_with_mask(row, self._text(row))
        added = self.processor.tokenizer.added_tokens_decoder
        return any(is_answer and one in added and added[one].special for one, is_answer in zip(ids, mask, strict=True))

    def _answers(self, row: Conversation, text: str) -> Iterator[tuple[int, int]]:
        """The assistant's turns in the text, [start, stop) in characters."""
        for i, (role, answer) in enumerate(row.turns):
            if role != "assistant":
                continue
            before, after = self._text(row.first(i), prompt=True), self._text(row.first(i + 1))
            if not (after.startswith(before) and text.startswith(after) and answer.strip() in after[len(before) :]):
                raise ConfigError(
                    "the processor's chat template renders earlier turns differently when later ones follow, so the answers "
                    "cannot be located: give it a template with {% generation %} around the answers"
                )
            yield len(before), len(after)

    def _truncate(self, row: Conversation, ids: list[int], tokenized: TokenizedConversation, limit: int) -> Conversation:
        """The row with as many of its first exchanges as fit into `limit` tokens."""
        pictures = len(ids) - len(tokenized.ids)
        for count in range(len(row.turns), 0, -2):
            shorter = row.first(count)
            length = pictures + len(self._tokenize_with_mask(shorter, self._text(shorter)).ids)
            if length <= limit:
                return shorter
        raise ConfigError(
            f"max_tokens: found {limit}, but the picture and the first exchange of sample {row.key} alone take {length} tokens"
        )


def collate(
    processor: Any,
    *,
    grouping: Grouping = "joined",
    max_tokens: int | None = None,
    system: str | None = None,
    pictures: Pictures = "own",
    masks: MaskSize | None = None,
) -> Callable[[Sequence[Example]], dict[str, Any]]:
    """A `collate_fn` that makes batches for a vision-language model from what a stream gives:

        DataLoader(stream(root, dialect="qwen"), batch_size=8, collate_fn=collate(AutoProcessor.from_pretrained(name)))

    The batch is what the processor returns (`input_ids`, `attention_mask`, `pixel_values` and, for some families,
    `image_grid_thw` and others; rows padded on the right) and `labels`. `grouping`: all instructions of a sample as one
    conversation of several turns ("joined"), a row for each ("each"), or only its first ("first"). `max_tokens`: the longest
    row; whole exchanges are removed from the end of a conversation until it fits. `system`: the text of a system turn.
    `pictures`: of a sample of several sensors its own, or "all", its own first; then the first words name them in that order;
    "none": the text alone, for a control that cannot see. A group's pictures are always all there, each after its number as the
    dialect's family writes it ("Image-1: "). `masks` adds a list of a bool tensor (outlines, rows, cols) for each row, in the
    order in which its text names the outlines (dialect "lisa": of its `[SEG]` tokens): of the whole picture in its own size
    ("picture"), in the size that the processor shows the model ("processed"), or stretched to (rows, cols).

    ConfigError where the processor has no chat template, where answers cannot be located in what the template renders, and
    where it resizes pictures to another size than the dialect of their boxes counts in.
    """
    if grouping not in ("joined", "each", "first"):
        raise ConfigError(f"grouping: found {grouping!r}, expected 'joined', 'each' or 'first'")
    if pictures not in ("own", "all", "none"):
        raise ConfigError(f"pictures: found {pictures!r}, expected 'own', 'all' or 'none'")
    check_mask_size(masks, pictures != "none")
    check_at_least(1, max_tokens=max_tokens)
    template = getattr(processor, "chat_template", None)
    if not isinstance(template, str):
        found = f"{type(processor).__name__} has no chat template: set processor.chat_template to the model's own"
        raise ConfigError(f"{found}; a family without conversations, such as PaliGemma, cannot be collated")
    if not (made := Collate(processor, grouping, max_tokens, system, pictures, masks)).closes_answers():
        _LOG.warning(_OPEN_ANSWERS, type(processor).__name__)
    return made


def _with_closing_tokens(ids: Sequence[int], marks: Sequence[int], eos: int | None) -> TokenizedConversation:
    """The template's marks, and the end token where one follows a marked answer at once: LLaVA-OneVision marks the text alone,
    and a model that is never trained on its end would not stop."""
    mask = [bool(mark) or (bool(before) and one == eos) for one, mark, before in zip(ids, marks, (0, *marks), strict=False)]
    return TokenizedConversation(list(ids), mask)


def _conversations(one: Example, grouping: Grouping, pictures: Pictures) -> list[Conversation]:
    is_group = bool(one.get("meta", {}).get("group"))
    others = one.get("others") or {} if pictures == "all" or (is_group and pictures == "own") else {}
    images = () if pictures == "none" else (one["image"], *others.values())
    named = f"Images: {', '.join([one['sensor'], *others])}.\n" if others and not is_group else ""
    names = _picture_names(one, len(images)) if is_group and images else ()
    parts = [(instruction,) for instruction in one["instructions"] if instruction["turns"]]
    if grouping == "first":
        parts = parts[:1]
    if grouping == "joined" and parts:
        parts = [tuple(instruction for (instruction,) in parts)]
    return [Conversation(one["key"], images, _turns(part, named), names, part) for part in parts]


def _turns(instructions: Sequence[Example], named: str) -> tuple[tuple[str, str], ...]:
    """The turns of all, `named` before the first words."""
    (role, text), *others = ((turn["role"], turn["text"]) for instruction in instructions for turn in instruction["turns"])
    return ((role, named + text), *others)


def _picture_names(one: Example, count: int) -> tuple[str, ...]:
    found = picture_names(get_dialect(one["dialect"]), count) if "dialect" in one else ()
    return found if any(found) else ()


def _own_picture_positions(conversations_of_each: Sequence[Sequence[Conversation]]) -> list[int]:
    """Of each example the place of its own picture among all pictures of the batch, -1 where it has no row."""
    places, first = [], 0
    for rows in conversations_of_each:
        places.append(first if rows and rows[0].images else -1)
        first += sum(len(row.images) for row in rows)
    return places


def _pixels(key: str, image: Any) -> Any:
    """A picture as processors take it, whatever library they use: uint8 array (rows, cols, 3)."""
    if isinstance(image, torch.Tensor):
        return np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    try:
        return decode_picture(bytes(image))
    except ValueError as error:
        raise SnapshotError(f"sample {key}: its picture cannot be decoded ({error})") from error


def _unpadded_ids(batch: Mapping[str, Any]) -> list[list[int]]:
    """The input ids of each row without padding."""
    rows = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    return [ids[mask.bool()].tolist() for ids, mask in rows]


def _answer_places(key: str, ids: list[int], tokenized: TokenizedConversation, processor: Any) -> list[int]:
    """Positions of the assistant's tokens in the expanded row `ids`."""
    first = tokenized.mask.index(True) if True in tokenized.mask else len(tokenized.mask)
    tail = tokenized.ids[first:]
    # A tokenizer may close every text with a token of its own, which the template does not know.
    for closed in (0, 1):
        start = len(ids) - closed - len(tail)
        if start >= 0 and ids[start : start + len(tail)] == tail:
            return [start + i for i, is_answer in enumerate(tokenized.mask[first:]) if is_answer]
    raise ConfigError(
        f"sample {key}: {type(processor).__name__} gives other tokens for a conversation than its tokenizer does, so "
        "the answers cannot be located"
    )
