"""Running a notebook as a stage, what it leaves behind, and when."""

from strikeloom.runner.notebook import run_stage
from strikeloom.runner.progress import told
from strikeloom.runner.record import Run, begin_run, finish_run

__all__ = ["Run", "begin_run", "finish_run", "run_stage", "told"]
