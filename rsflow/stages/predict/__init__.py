"""The stages of models over written pictures, and of merging what they found."""
