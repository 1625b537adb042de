"""Probabilities and values of option structures under a smile."""
