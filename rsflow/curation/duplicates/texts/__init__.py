"""Similar texts: signatures, Jaccard similarity."""
