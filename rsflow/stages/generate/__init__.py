"""The stage in which a model writes texts, and how they are checked."""
