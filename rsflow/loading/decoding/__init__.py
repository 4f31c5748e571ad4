"""Pictures to pixels, boxes to arrays, and the size that a model is shown."""
