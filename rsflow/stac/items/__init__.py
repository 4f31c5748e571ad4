"""One STAC item: its bands, its facts, whether a search takes it, and the scene that it becomes."""
