"""The only way to an order: intent first, guards, send, reconcile, unwind."""
