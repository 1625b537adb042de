"""A matching engine with an account of its own, and a seeded market for it to trade."""
