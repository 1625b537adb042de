"""Dhan behind the ports: official client for REST, sockets of our own for feed and orders."""
