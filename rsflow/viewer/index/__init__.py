"""What samples are found and sorted by: DuckDB tables over the lake's files."""
