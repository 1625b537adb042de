"""Stage 04: marked strategies become positions through intents, guards and the broker."""
