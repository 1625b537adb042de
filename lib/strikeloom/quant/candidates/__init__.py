"""Candidates of one search: enumerated in columns, valued in one compiled pass, sorted out."""
