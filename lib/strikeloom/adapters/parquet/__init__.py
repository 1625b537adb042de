"""Market history as Parquet files."""
