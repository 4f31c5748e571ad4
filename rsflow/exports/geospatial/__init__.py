"""Samples on the ground: features, STAC items and their Parquet form."""
