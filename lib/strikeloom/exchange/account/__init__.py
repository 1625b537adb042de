"""One account: its file, orders, positions, money and margin."""
