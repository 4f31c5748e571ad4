"""Questions about the relations of objects: scene graphs and pairs."""

from __future__ import annotations

_FORM = " First number the objects with their boxes, then give a triple (subject, relation, object) for each clear relation."

PHRASINGS: dict[str, tuple[str, ...]] = {
    "scene_graph": tuple(
        text + _FORM
        for text in (
            "Please generate a scene graph of this remote sensing image.",
            "Describe this image as a scene graph.",
            "List all objects and how they lie to each other.",
            "Write the scene graph of this picture.",
            "Which objects are in the image, and which relations hold between them?",
            "Turn this scene into a graph of objects and relations.",
            "Give the objects of this image and their spatial relations.",
            "Extract a scene graph from the image.",
            "How are the objects of this scene arranged? Answer with a graph.",
            "Build the graph of objects and relations for this picture.",
            "Represent the content of this image as a scene graph.",
            "Name every object and say how each pair of them is related.",
            "What does the scene graph of this image look like?",
            "Go through all pairs of objects and state their relations.",
            "Produce a structured description of the objects and their relations.",
        )
    ),
    "relation_between": (
        "What is the spatial relation of {subject} to {object}? Answer the question using a single word or phrase.",
        "Where does {subject} lie with respect to {object}?",
        "How does {subject} lie to {object}: left of, right of, above, below or inside?",
        "Give the relation between {subject} and {object}.",
        "Which relation holds from {subject} to {object}?",
        "Fill in the relation: {subject} is … {object}.",
        "Name the relation of {subject} to {object} in the image.",
        "In the image, how is {subject} placed relative to {object}?",
        "State how {subject} is located as seen from {object}.",
        "Complete the triple ({subject}, …, {object}).",
        "Say in a word or two where {subject} is, seen from {object}.",
        "Relative to {object}, where is {subject}?",
        "What predicate joins {subject} and {object} in a scene graph?",
        "Looking at {subject} and {object}, what is the relation of the first to the second?",
        "Tell me the position of {subject} relative to {object}.",
    ),
}
