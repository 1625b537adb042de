"""The desk's store and the last-value cache as SQLite files."""
