"""The page of a lake, as `rsflow view` serves it: samples, their records, the map, rejects and review.

One idea: a small index of the live rows is held in memory (DuckDB) and answers every filter; whole records are read from the
lake's Parquet files for the few samples that are shown. The page itself is plain HTML, CSS and ES modules in `assets/`.

It needs the extra rsflow[view] (starlette, uvicorn, duckdb); nothing else in rsflow imports this folder.
"""
