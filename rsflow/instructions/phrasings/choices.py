"""Questions with lettered options that have no other form, and the hints at how to answer one."""

from __future__ import annotations

LETTER_HINTS: tuple[str, ...] = (
    "Answer with the letter of the right option.",
    "Choose the right option by its letter.",
    "Which option is right?",
    "Select one of the options.",
    "Answer with the option's letter from the given choices directly.",
    "Only one option is right: which one?",
    "Pick the right letter.",
    "Give the letter of the correct answer.",
)

PHRASINGS: dict[str, tuple[str, ...]] = {
    "choice_present": (
        "Which of these can be seen in this image?",
        "Which of the following are in the image?",
        "What does this picture show?",
        "Which of these things appear in the scene?",
        "Which of the following does the image contain?",
        "One of these is in the picture. Which one?",
        "What is visible here?",
        "Which of these objects does the scene hold?",
        "Look at the picture: which of the following are there?",
        "Which of the listed things can be found in this image?",
        "What can be made out in this scene?",
        "Which of these would you point at in this image?",
        "Which of the following objects are present?",
        "Of the things listed, which are in this picture?",
        "Which of these does the picture really show?",
    ),
    "choice_absent": (
        "Which of these cannot be seen in this image?",
        "Which of the following are not in the image?",
        "What does this picture not show?",
        "Which of these things are missing from the scene?",
        "Which of the following does the image not contain?",
        "One of these is not in the picture. Which one?",
        "What is not visible here?",
        "Which of these objects does the scene not hold?",
        "Look at the picture: which of the following are absent?",
        "Which of the listed things cannot be found in this image?",
        "All but one of these are in the image. Which one is not?",
        "Which of these would you look for in vain in this image?",
        "Which of the following objects are absent?",
        "Of the things listed, which are not in this picture?",
        "Which of these does the picture lack?",
    ),
}
