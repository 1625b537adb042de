"""Orders of the exchange: requests, validation, the order book and matching."""
