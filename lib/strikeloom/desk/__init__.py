"""Which market, account, clock, feed and broker a desk has: the only place that chooses."""
