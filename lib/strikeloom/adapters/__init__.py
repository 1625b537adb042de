"""Implementations of the ports: files, stores, replays, brokers. They decide nothing."""
