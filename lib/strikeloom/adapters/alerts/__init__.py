"""Channels by which alerts reach a person."""
