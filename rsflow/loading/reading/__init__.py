"""Samples from shards: by file, by byte range, through a cache, each checked."""
