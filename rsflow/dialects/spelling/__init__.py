"""What several dialects share: brackets, JSON boxes, outlines, padding, several pictures."""
