"""A broker that trades in-process against a matching engine with an account of its own."""

from strikeloom.adapters.sim.broker import SimBroker

__all__ = ["SimBroker"]
