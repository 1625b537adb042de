"""Numbered migrations, applied in order, all that a file lacks in one transaction."""
