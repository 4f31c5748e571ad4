"""The progress of a stream: saved, shared between workers, and taken up again."""
