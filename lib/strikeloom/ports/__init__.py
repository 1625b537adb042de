"""Protocols through which time, prices, orders and records enter: chosen once, in ``desk``."""
