"""Every wording in which rsflow asks, in one place.

One idea: a table from the kind of question to its phrasings, of which the first is the seeds' own wording (MMRS-1M's, where
it has the task; spelling and spacing as theirs) and is left out of conversations. Names in braces are filled by the claim
that is asked about (rsflow.instructions.claims). Answers are not here: they belong to the claim, so that no phrasing can
make one untrue.
"""

from __future__ import annotations

HINT = " Answer the question using a single word or phrase."

PHRASINGS: dict[str, tuple[str, ...]] = {
    "classification": (
        "What is the category of this remote sensing image?" + HINT,
        "Which category does this image belong to?",
        "To which class does this image belong?",
        "How would you classify this image?",
        "Name the class of this image.",
        "Which single category describes this image best?",
    ),
    "captioning": (
        "Please provide a one-sentence caption for the provided remote sensing image in details.",
        "Describe this image in one sentence.",
        "What does this image show? One sentence is enough.",
        "Write a caption for this image.",
        "Sum up the content of this picture in a single sentence.",
        "Give a short caption of the scene.",
    ),
    "presence": (
        "Is there {one} in this image?" + HINT,
        "Are there any {many} in the image?",
        "Can you see any {many} here?",
        "Does this image contain any {many}?",
        "Do any {many} appear in this scene?",
        "Is {one} visible in the picture?",
    ),
    "presence_at": (
        "Is there {one} {at} of this image?" + HINT,
        "Are there any {many} {at} of the image?",
        "Can any {many} be seen {at} of the picture?",
        "Do any {many} appear {at} of the image?",
        "Is {one} visible {at} of the scene?",
        "Does the image show any {many} {at}?",
    ),
    "count": (
        "How many {many} are there in this image?" + HINT,
        "How many {many} are in the image?",
        "What is the number of {many} in this picture?",
        "Count the {many} in the image.",
        "How many {many} can be counted here?",
        "Please tell me how many {many} this image shows.",
    ),
    "dominant_cover": (
        "What is the dominant land cover in this image?" + HINT,
        "Which land cover takes up the largest part of the image?",
        "What covers most ground in this scene?",
        "Which kind of surface dominates this picture?",
        "What is the main land cover here?",
        "Name the land cover with the largest share of the image.",
    ),
    "cover_presence": (
        "Is there any {cover} in this image?" + HINT,
        "Does the image show any {cover}?",
        "Can you see any {cover} here?",
        "Is part of the scene {cover}?",
        "Does any {cover} appear in the picture?",
        "Is any {cover} visible in this image?",
    ),
    "cover_share": (
        "What share of this image is {cover}?" + HINT,
        "Roughly how much of the image is {cover}?",
        "About what percentage of the picture is {cover}?",
        "How large is the share of {cover} in this scene?",
        "Estimate the percentage of {cover} in the image.",
        "How much of the scene is taken up by {cover}?",
    ),
    "relation": (
        "Where {be} {subject} relative to {object} in this image?" + HINT,
        "In which direction from {object} {be} {subject}?",
        "How {be} {subject} positioned relative to {object}?",
        "Seen from {object}, where {be} {subject} in the image?",
        "What is the position of {subject} with respect to {object}?",
        "Compared with {object}, where in the image {be} {subject}?",
    ),
    "place": (
        "Where in this image is {subject}?" + HINT,
        "In which part of the image is {subject}?",
        "Where can {subject} be found in the picture?",
        "Which part of the scene holds {subject}?",
        "In what part of the image does {subject} lie?",
        "Whereabouts in the image is {subject}?",
    ),
    "brightness": (
        "Is this image dark, medium or bright overall?" + HINT,
        "How bright is the image overall: dark, medium or bright?",
        "What is the overall brightness of this picture: dark, medium or bright?",
        "Would you call this image dark, medium or bright?",
        "Judge the overall brightness of the image: dark, medium or bright.",
        "Overall, is the picture dark, of medium brightness or bright?",
    ),
    "texture": (
        "Is this image smooth, moderately textured or strongly textured?" + HINT,
        "How textured is the image: smooth, moderately textured or strongly textured?",
        "What is the texture of this picture like: smooth, moderately textured or strongly textured?",
        "Would you call this image smooth, moderately textured or strongly textured?",
        "Judge the texture of the image: smooth, moderately textured or strongly textured.",
        "Overall, does the picture look smooth, moderately textured or strongly textured?",
    ),
    "colour": (
        "What is the dominant colour of this image?" + HINT,
        "Which colour dominates the image?",
        "What colour is most of this picture?",
        "Which colour stands out most in the scene overall?",
        "Name the main colour of the image.",
        "Overall, what colour is this image?",
    ),
    "brightest_part": (
        "Which part of this image is the brightest?" + HINT,
        "Where is the image brightest?",
        "Which part of the picture shows the {strongest}?",
        "Where in the image do the brightest pixels gather?",
        "In which part of the scene is the {strongest} found?",
        "Name the brightest part of the image.",
    ),
    "darkest_part": (
        "Which part of this image is the darkest?" + HINT,
        "Where is the image darkest?",
        "Which part of the picture shows the {weakest}?",
        "Where in the image do the darkest pixels gather?",
        "In which part of the scene is the {weakest} found?",
        "Name the darkest part of the image.",
    ),
    "low_backscatter": (
        "What share of this image is dark and smooth, with low radar backscatter?" + HINT,
        "Roughly how much of the image is dark and smooth, with little radar backscatter?",
        "About what percentage of the picture is dark and smooth because little radar energy returns?",
        "How large is the share of dark, smooth areas of low backscatter in this scene?",
        "Estimate the percentage of the image that is dark and smooth, with low radar backscatter.",
        "How much of the scene is dark and smooth, returning little of the radar signal?",
    ),
    "grounding": (
        "Please provide the horizontal bounding box coordinate of the region which is described as:{phrase}"
        " in this remote sensing image",
        "Where exactly is {phrase}? Give its bounding box.",
        "Locate {phrase} with a horizontal bounding box.",
        "Give the coordinates of the box around {phrase}.",
        "Find {phrase} and return its bounding box.",
        "Draw a box around {phrase}: which coordinates does it have?",
    ),
    "region_captioning": (
        "Please provide a short description for this region in this remote sensing image :{box}",
        "What is in the region {box}?",
        "Describe the region {box} briefly.",
        "Say in a few words what lies within {box}.",
        "What does the box {box} contain?",
        "Give a short description of the area {box}.",
    ),
    "detection_one": (
        "Detect {many} shown in the image using horizontal bounding boxes.",
        "Find all {many} in the image and give their bounding boxes.",
        "Locate every {one_bare} in this picture with a box.",
        "Mark the {many} in the image with horizontal bounding boxes.",
        "Where are the {many}, if there are any? List their boxes.",
        "List the bounding boxes of all {many} that are visible.",
    ),
    "detection_all": (
        "Please detect all objects in this image.",
        "Find all objects in the image and give their bounding boxes.",
        "Detect every object here and list the boxes by kind.",
        "Which objects are in this picture, and where? Give their boxes.",
        "List all objects with their horizontal bounding boxes.",
        "Locate all objects in the scene with boxes.",
    ),
    "description": (
        "Describe this image in detail, first its parts and then the whole.",
        "Please give a detailed description of this remote sensing image.",
        "What can be seen in this image? Go through the details and then sum up.",
        "Write a paragraph about this image, from the details to the overall picture.",
        "Explain in detail what this picture shows.",
        "Give a thorough account of the scene.",
    ),
}
