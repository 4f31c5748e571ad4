"""How lmms-eval asks and scores a question of an export: this file is copied beside the tasks as utils.py.

It needs nothing but Python. The right answer of a choice is its letter; of a short question the answer's words, compared
without case, articles and punctuation; numbers in words count as digits.
"""

import re

LETTERS = "ABCD"
_ARTICLES = {"a", "an", "the"}
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def doc_to_visual(doc):  # type: ignore[no-untyped-def]
    return [picture.convert("RGB") for picture in (doc["image"], *doc.get("further_images", ()))]


def choice_to_text(doc, lmms_eval_specific_kwargs=None):  # type: ignore[no-untyped-def]
    options = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, doc["options"], strict=False))
    return f"{doc['question']}\n{options}\nAnswer with the option's letter from the given choices directly."


def short_to_text(doc, lmms_eval_specific_kwargs=None):  # type: ignore[no-untyped-def]
    hint = "Answer the question using a single word or phrase."
    return doc["question"] if hint in doc["question"] else f"{doc['question']}\n{hint}"


def choice_results(doc, results):  # type: ignore[no-untyped-def]
    return {"accuracy": float(chosen_letter(results[0], doc["options"]) == doc["answer"])}


def short_results(doc, results):  # type: ignore[no-untyped-def]
    return {"accuracy": float(normalised(results[0]) == normalised(doc["answer"]))}


def chosen_letter(text: str, options: list[str]) -> str:
    """The one letter or option that an answer names; empty where it names none, or several."""
    letters = LETTERS[: len(options)]
    named = {letter for letter, option in zip(letters, options, strict=True) if normalised(option) == normalised(text)}
    named = named or set(re.findall(rf"\(([{letters}])\)", text))
    if not named and (alone := re.match(rf"\W*([{letters}])(?:[.:,)]|$)", text.strip())):
        named = {alone[1]}
    return named.pop() if len(named) == 1 else ""


def normalised(text: str) -> str:
    words = re.sub(r"[^\w%.\-]+", " ", text.lower()).split()
    kept = (word.strip(".-") for word in words if word not in _ARTICLES)
    return " ".join(str(_NUMBERS.index(word)) if word in _NUMBERS else word for word in kept if word)
