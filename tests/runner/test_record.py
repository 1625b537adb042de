"""A run's log begins and ends with it; what follows goes to no finished run's folder."""

from __future__ import annotations

import logging
from pathlib import Path

from strikeloom.desk import open_desk
from strikeloom.domain.results import Stage
from strikeloom.runner.record import Run, log_to, new_run, release

LOG = logging.getLogger("strikeloom")


def _files() -> list[str]:
    return [h.baseFilename for h in LOG.handlers if isinstance(h, logging.FileHandler)]


def test_the_log_of_a_run_ends_with_it(drawn_home: Path) -> None:
    assert drawn_home.is_dir()
    with open_desk("synthetic") as desk:
        run = new_run(desk, Stage.ALLOCATION, keep=False)
        log_to(run)
        LOG.info("within the run")
        other = Run("other", Stage.ALLOCATION, run.folder.parent / "other", keep=False)
        release(other)  # a run that has died is closed while this one goes on
        assert _files() == [str(run.folder / "log.jsonl")]
        release(run)
    assert _files() == []
    assert LOG.level == logging.NOTSET
    LOG.info("after it")
    assert "within the run" in (run.folder / "log.jsonl").read_text()
    assert "after it" not in (run.folder / "log.jsonl").read_text()
