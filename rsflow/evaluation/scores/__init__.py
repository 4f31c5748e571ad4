"""One answer or list of answers against what is known: boxes, outlines, short answers, texts, consistency."""
