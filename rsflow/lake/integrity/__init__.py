"""Digests of the lake's files: recorded, verified, and the files that nothing refers to."""
