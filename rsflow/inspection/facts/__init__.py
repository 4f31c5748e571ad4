"""The facts that reports print, read from a lake: as values for text and pages, and as JSON."""
