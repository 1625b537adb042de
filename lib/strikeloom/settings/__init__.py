"""Typed settings: one frozen model per file of ``config/``."""
