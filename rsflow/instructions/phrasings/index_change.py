"""Questions about where a measured index differs between two pictures of one place."""

from __future__ import annotations

from rsflow.instructions.phrasings.hint import HINT

PHRASINGS: dict[str, tuple[str, ...]] = {
    "index_any": (
        "Did {index} change by {least} or more anywhere between image 1 and image 2?" + HINT,
        "Is there an area where {index} differs by at least {least} between the two images?",
        "Comparing the two dates, did {index} rise or fall by {least} or more somewhere?",
        "Does {index} of image 2 differ by {least} or more from that of image 1 in any area?",
        "Between the two images, is there a change of {index} by at least {least}?",
        "Has {index} risen or fallen by {least} or more in some part of the image?",
        "Do the images show any area with a change of {index} of {least} or more?",
        "Tell whether {index} changed by at least {least} in any area.",
        "From image 1 to image 2, did any area see {index} change by {least} or more?",
        "Judging by both images, does {index} differ anywhere by {least} or more?",
        "Was there a change of {index} by {least} or more between the two dates?",
        "Look at both images: did {index} change anywhere by at least {least}?",
        "Can an area be found in which {index} changed by {least} or more?",
        "Is any area of image 2 different from image 1 by {least} or more in {index}?",
        "Say whether there is a change of {index} of at least {least} between the dates.",
    ),
    "index_share": (
        "What share of the image is ground {area}?" + HINT,
        "What percentage of the image is ground {area}?",
        "Roughly which part of the image, in percent, is ground {area}?",
        "About how much of the scene is ground {area}, in percent?",
        "Estimate the share of the area {area} between image 1 and image 2.",
        "State roughly the percentage of the image {area}.",
        "How large is the share of the image {area}?",
        "What proportion of the scene is ground {area} from image 1 to image 2?",
        "Give the approximate percentage of ground {area}.",
        "How many percent of the image lie {area}?",
        "Comparing the images, what share of them is ground {area}?",
        "Approximately what part of the image is ground {area}?",
        "In percent, how much ground is there {area}?",
        "Between the two dates, what is the share of ground {area}?",
        "Which share of the picture is ground {area}?",
    ),
    "index_ground": (
        "How large is the ground {area}?" + HINT,
        "How much ground, in area, is there {area}?",
        "What is the area on the ground {area}?",
        "About how many hectares or square metres lie {area}?",
        "Estimate the area of the ground {area}.",
        "State roughly how much ground there is {area}.",
        "Comparing the two images, how much ground is there {area}?",
        "Give the approximate size of the ground {area}.",
        "How big, on the ground, are the areas {area}?",
        "What surface of ground is there {area}?",
        "Roughly how large are the areas together {area}?",
        "In ground area, how much lies {area}?",
        "How much land is there {area}?",
        "Between image 1 and image 2, how large is the land {area}?",
        "Approximately how large is the ground together {area}?",
    ),
}
