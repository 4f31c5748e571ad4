"""English words for what is known: names, numbers, positions, phrases that refer to one object."""
