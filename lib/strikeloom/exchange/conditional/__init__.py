"""Conditional orders: records that place orders when a price or a condition is reached."""
