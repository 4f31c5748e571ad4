"""Pairs of dates: where published sets keep their files, and what their masks and captions say."""
