"""Dated parameters of the margin estimate."""
