"""Which scenes a source has: files, the files that belong to them, and when they were taken."""
