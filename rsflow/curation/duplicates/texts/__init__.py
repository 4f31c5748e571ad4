"""Similar texts: signatures, MinHash, Jaccard similarity."""
