"""Recorded days as a clock and a feed."""
