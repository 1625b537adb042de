"""A market day to play: recorded quotes, an end-of-day file, or the synthetic market."""
