"""The stages that make groups of tiles of one place, and instructions that compare them."""
