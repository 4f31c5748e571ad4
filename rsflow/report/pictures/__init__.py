"""Contact sheets: samples with their boxes and texts."""
