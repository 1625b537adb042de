"""Dated tables; every row says from when it holds and who says so."""
