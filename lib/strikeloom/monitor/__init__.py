"""Stage 05: live positions, exit rules and requests. The one exit engine."""

from strikeloom.monitor.board import Board, load_board
from strikeloom.monitor.cycle import CycleReport
from strikeloom.monitor.request import kill, request_exit, resume
from strikeloom.monitor.watch import run_cycle, watch

__all__ = [
    "Board",
    "CycleReport",
    "kill",
    "load_board",
    "request_exit",
    "resume",
    "run_cycle",
    "watch",
]
