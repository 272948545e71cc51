"""Importances and idle time from a study's log, damaged or not."""

import json
from pathlib import Path

import pytest
import yaml

from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.charts.all_charts import tried_sweeps
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from cnnsweep.report.study.study_stats import Studies, StudyStats
from tests.report.made_runs import make_grid
from tests.report.made_sweeps import make_sweep


def _facts(folder: Path, problems: list[str]) -> list[StudyStats]:
    sweeps = tried_sweeps(answer(gather([folder]), Question()))
    return [told for _, told in Studies(sweeps).facts(problems)]


def test_the_study_tells_importances_and_idle_workers(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep", trials=20, confirm=0)
    before = sorted(path.name for path in sweep.iterdir())
    problems: list[str] = []
    (facts,) = _facts(tmp_path, problems)
    assert problems == []
    assert sum(facts.importances.values()) == pytest.approx(1)
    assert max(facts.importances, key=facts.importances.__getitem__) == "optim.lr"
    assert facts.workers == 2
    assert facts.busy_seconds == 20 * 8 + 10
    assert facts.span_seconds == 10 * 9 * 2
    assert facts.idle() == "2 workers idle for 6 % of the time (10 s)"
    assert sorted(path.name for path in sweep.iterdir()) == before  # no lock, nothing written


@pytest.mark.parametrize("told_by", ["the recorded key", "a run, of an earlier launch"])
def test_of_stacked_trials_nobody_knows_how_idle_workers_were(told_by: str, tmp_path: Path) -> None:
    """Their spans overlap in one worker: 8 jobs in stacks of 4 were called 8 workers."""
    sweep = make_sweep(tmp_path / "sweep", trials=12, confirm=0)
    if told_by == "the recorded key":
        config = yaml.safe_load((sweep / "multirun.yaml").read_text())
        config["hydra"]["sweeper"]["stack"] = 4
        (sweep / "multirun.yaml").write_text(yaml.safe_dump(config))
    else:
        result = json.loads((sweep / "3" / "result.json").read_text())
        (sweep / "3" / "result.json").write_text(json.dumps(result | {"stack": 2}))
    problems: list[str] = []
    (facts,) = _facts(tmp_path, problems)
    assert problems == []
    assert facts.importances
    assert facts.workers == 0
    assert facts.idle() == ""


def test_a_torn_last_line_costs_that_line_only(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep", trials=12, confirm=0)
    with (sweep / "study.journal").open("a") as log:
        log.write('{"op_code": 6, "wor')
    problems: list[str] = []
    (facts,) = _facts(tmp_path, problems)
    assert facts.importances
    assert problems == []


@pytest.mark.parametrize(
    "content", ["", "[]\n", '{"op_code": 99}\n', '{"op_code": 4, "worker_id": 1}\n', "\x00\x00\n"]
)
def test_a_damaged_log_costs_one_line(tmp_path: Path, content: str) -> None:
    sweep = make_sweep(tmp_path / "sweep", trials=6, confirm=0)
    (sweep / "study.journal").write_text(content)
    problems: list[str] = []
    assert _facts(tmp_path, problems) == [StudyStats()]
    (problem,) = problems
    assert problem.startswith(str(sweep / "study.journal"))
    assert "\n" not in problem


def test_a_grid_has_importances_of_its_own(tmp_path: Path) -> None:
    for number, rate in enumerate([0.001, 0.01, 0.1]):
        make_grid(tmp_path / "all" / str(number), ["simple"], range(3), changes={"optim.lr": rate})
    (tmp_path / "all" / "multirun.yaml").write_text("{}")
    for path in (tmp_path / "all").glob("*/multirun.yaml"):
        path.unlink()
    (facts,) = _facts(tmp_path, [])
    assert facts.importances == {"optim.lr": pytest.approx(1)}
