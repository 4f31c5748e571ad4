"""Annotated pictures and the scenes that show them: matching, joining, cutting to a window."""
