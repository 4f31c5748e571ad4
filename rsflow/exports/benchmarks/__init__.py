"""Questions for evaluation harnesses: with options, with short answers, and how they are scored."""
