"""Running a notebook as a stage, its record, and the schedule."""

from strikeloom.runner.given import type_parameters
from strikeloom.runner.notebook import run_stage
from strikeloom.runner.page_load import stop_on_page_load
from strikeloom.runner.progress import report_progress
from strikeloom.runner.record import Run, begin_run, finish_run

__all__ = [
    "Run",
    "begin_run",
    "finish_run",
    "report_progress",
    "run_stage",
    "stop_on_page_load",
    "type_parameters",
]
