"""Implied volatility smiles: curves, arbitrage-free fits, densities and deltas."""
