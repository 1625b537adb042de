"""Runs: folders of evidence, papermill, the schedule."""

from strikeloom.runner.notebook import run_stage
from strikeloom.runner.record import Run, begin_run, finish_run

__all__ = ["Run", "begin_run", "finish_run", "run_stage"]
