"""Implied volatility, prices and Greeks of options: formulas, their numpy and compiled paths."""
