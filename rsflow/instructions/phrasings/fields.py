"""Questions about continuous rasters of the ground: elevation, canopy height, night light, surface temperature."""

from __future__ import annotations

from rsflow.instructions.phrasings.hint import HINT

PHRASINGS: dict[str, tuple[str, ...]] = {
    "field_mean": (
        "What is the mean {quantity} of this area?" + HINT,
        "Roughly what is the average {quantity} here?",
        "About how much is the mean {quantity} of the ground shown?",
        "Give the mean {quantity} over the image, approximately.",
        "On average, what {quantity} does this area have?",
        "What mean {quantity} would you give this scene?",
        "Estimate the average {quantity} of the area in the picture.",
        "State the approximate mean {quantity} of the scene.",
        "What is the {quantity} of this area on average?",
        "Averaged over the image, what is the {quantity}?",
        "How large is the mean {quantity} across this scene, roughly?",
        "Tell me the average {quantity} of the ground in this image.",
        "Which mean {quantity} fits this area?",
        "What would a map give as the average {quantity} here?",
        "Say about what the mean {quantity} of this place is.",
    ),
    "field_highest": (
        "In which part of the image is the {quantity} highest?" + HINT,
        "Where in the scene does the {quantity} reach its maximum?",
        "Which part of the picture has the greatest {quantity}?",
        "Name the part of the image with the highest {quantity}.",
        "Where is the {quantity} greatest in this image?",
        "In what part of the scene is the maximum of the {quantity}?",
        "Point out in words where the {quantity} is highest.",
        "Where does one find the highest {quantity} of this area?",
        "Which area of the image reaches the highest {quantity}?",
        "Say in which part of the picture the {quantity} peaks.",
        "Where in this image lies the point of highest {quantity}?",
        "What part of the scene shows the maximum {quantity}?",
        "Looking at the {quantity} alone, which part of the image is highest?",
        "Locate the highest {quantity} in words.",
        "Whereabouts in the image is the {quantity} at its highest?",
    ),
    "field_lowest": (
        "In which part of the image is the {quantity} lowest?" + HINT,
        "Where in the scene does the {quantity} reach its minimum?",
        "Which part of the picture has the smallest {quantity}?",
        "Name the part of the image with the lowest {quantity}.",
        "Where is the {quantity} smallest in this image?",
        "In what part of the scene is the minimum of the {quantity}?",
        "Point out in words where the {quantity} is lowest.",
        "Where does one find the lowest {quantity} of this area?",
        "Which area of the image has the lowest {quantity}?",
        "Say in which part of the picture the {quantity} is at its minimum.",
        "Where in this image lies the point of lowest {quantity}?",
        "What part of the scene shows the minimum {quantity}?",
        "Looking at the {quantity} alone, which part of the image is lowest?",
        "Locate the lowest {quantity} in words.",
        "Whereabouts in the image is the {quantity} at its lowest?",
    ),
}
