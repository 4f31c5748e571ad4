"""The three phases of a build (label, select, shard), each reading from and writing to the lake."""
