"""Small notebooks in place of the five."""

PARAMETERS = """market = ""
day = ""
run_folder = ""
capital = 0
dry_run = False
share = 0.5
symbols = []
risk = ""
"""

SAVES = """
from strikeloom.desk import open_desk
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import StageResult
from strikeloom.runner import begin_run, finish_run
import pandas as pd
desk = open_desk(market, day)
run = begin_run(desk, "allocation", run_folder, keep=not dry_run)
result = StageResult(run_id=run.run_id, stage="allocation", market=desk.market,
                     account=desk.account, day=desk.day, verdict="done",
                     counts={"universe": 3, "done": 2, "refused": 1}, refused={"why": 1})
output = StageOutput(result, {"numbers": pd.DataFrame({"capital": [capital]})})
finish_run(desk, run, output)
"""
