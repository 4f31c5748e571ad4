"""What is known and asked of several dates of one place: their order, what is there at each, how high the sun stood."""
