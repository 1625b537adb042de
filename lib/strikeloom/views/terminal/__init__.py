"""The board in a terminal, and tables that are never cut."""

from strikeloom.views.terminal.aligned import aligned
from strikeloom.views.terminal.board import board_json, board_view

__all__ = ["aligned", "board_json", "board_view"]
