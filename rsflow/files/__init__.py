"""Local paths and object stores: storage calls, globs, faults that may pass, and paths that data may name."""
