"""A secret as the package carries it: it shows itself only to the adapter that sends it."""

from __future__ import annotations


class Secret:
    """A value that shows itself only to ``reveal``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the adapter that sends it."""
        return Masked(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is never written to disk or sent to another process")


class Masked(str):
    """Text of a secret on its way out: a list of a frame's variables shows ``***``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"
