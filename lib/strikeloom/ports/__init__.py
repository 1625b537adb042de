"""Protocols for time, prices, orders and records; ``desk`` chooses their implementations once."""
