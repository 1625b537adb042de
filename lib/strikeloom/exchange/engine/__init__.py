"""The engine: what callers of an account use."""
