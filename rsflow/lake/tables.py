"""The lake: a root folder or `s3://` address that holds Delta tables beside immutable files.

One idea: the tables are ordinary Delta tables with the schemas of rsflow.records, one transaction per append, so a crash
leaves a table at its last commit and anybody can query it with DuckDB, Polars or Spark. `lake.json` states the format's
version; a lake of a newer version is refused rather than misread.

It refuses to be clever about reading: whole columns come back as Arrow, and rows count only where a mark says so (see
rsflow.lake.receipts).
"""

from __future__ import annotations
