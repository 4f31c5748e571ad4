"""What the page asks: samples and their records, counts, places, vectors, pictures, decisions."""
