"""The board in a terminal."""

from strikeloom.views.terminal.board import board_json, board_view

__all__ = ["board_json", "board_view"]
