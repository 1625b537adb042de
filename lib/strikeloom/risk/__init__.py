"""Margin estimates of structures and whole books, always labelled as estimates."""
