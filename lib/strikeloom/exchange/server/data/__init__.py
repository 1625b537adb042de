"""Dated facts of the broker's protocol."""
