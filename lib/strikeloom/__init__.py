"""Strikeloom: research and trading of NSE options in Jupyter notebooks."""
