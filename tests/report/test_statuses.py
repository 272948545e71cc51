"""Whatever status a trial has, only completed ones have final values, and none is dropped."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cnnsweep.folders import run_folder
from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.charts.all_charts import every_chart, tried_sweeps
from cnnsweep.report.charts.chart_model import XY, Chart
from cnnsweep.report.charts.matplotlib_backend import as_picture
from cnnsweep.report.charts.plotly_backend import as_plotly
from cnnsweep.report.output.tables import headline
from cnnsweep.report.output.text_files import report_md, report_tex, runs_csv, summary_csv
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.read.run_record import STATUSES
from cnnsweep.report.stats.options import Question
from cnnsweep.report.study.study_stats import StudyStats
from cnnsweep.sweep.freeze_thaw import paused
from tests.report.made_runs import Job, make_run

TOO_GOOD = 0.9991  # of the trials that are not completed, before a curve takes them down
_LOGGED = "[{}][cnnsweep.session.session][INFO] epoch {}, train_loss 0.5\n"


def searched(folder: Path, completed: int, others: int, status: str) -> Answer:
    """A search of so many completed trials, and others of a status whose values are the best."""
    folder.mkdir(parents=True)
    (folder / "multirun.yaml").write_text("hydra:\n  sweeper:\n    n_trials: 9\n")
    for number in range(completed + others):
        is_other = number >= completed
        job = Job(
            status=status if is_other else "completed", mode="MULTIRUN", epochs=6,
            accuracy=TOO_GOOD if is_other else 0.8 + number / 100, test=False,
            changes={"optim.lr": 0.001 * 2**number, "optim.momentum": number / 20},
        )  # fmt: skip
        run = make_run(folder / str(number), job)
        if is_other and status == "damaged":
            (run / "result.json").write_text("{")
    return answer(gather([folder]), Question())


def log(run: Path, ends: list[datetime]) -> None:
    """Time stamps as the log of a run has them."""
    text = "".join(
        _LOGGED.format(f"{end:%Y-%m-%d %H:%M:%S},000", n + 1) for n, end in enumerate(ends)
    )
    (run / "cnnsweep.log").write_text(text)


def charts_of(found: Answer) -> dict[str, Chart]:
    facts = [(one, StudyStats()) for one in tried_sweeps(found)]
    return {c.slug: c for section in every_chart(found, facts) for c in section.charts}


def test_reports_know_every_status_that_a_run_records() -> None:
    assert {*run_folder.STATUSES} < {*STATUSES}
    assert paused.PAUSED == PAUSED


@pytest.mark.parametrize("status", STATUSES[1:])
def test_no_value_of_a_trial_that_is_not_completed_is_taken_for_a_final_one(
    tmp_path: Path, status: str
) -> None:
    found = searched(tmp_path / "sweep", 5, 4, status)
    assert headline(found).startswith(f"9 runs: 5 completed, 4 {status}; val_accuracy decides")
    (group,) = found.grouping.groups
    (_, best), *_ = found.best()
    (one,) = tried_sweeps(found)
    (winner,) = found.winners
    assert {run.status for run in [*group.runs, *best, *one.runs, *winner.runs]} == {"completed"}
    assert max(group.units.values()) < 0.85
    assert winner.best == max(one.values) < 0.85
    is_candidate = status in ("pruned", PAUSED)
    assert winner.tried == (9 if is_candidate else 5)
    for chart in charts_of(found).values():
        for series in chart.series if isinstance(chart, XY) else []:
            if series.kind == "steps":  # the best so far
                assert max(y for y in series.y if y is not None) < 85
    rows = runs_csv(found).splitlines()[1:]
    assert sum(row.startswith(f"{status},") for row in rows) == 4
    assert "99.91" not in summary_csv(found) + report_md(found, [], []) + report_tex(found)


@pytest.mark.parametrize("completed", [0, 1, 2, 9])
def test_paused_trials_are_marks_of_their_own(tmp_path: Path, completed: int) -> None:
    found = searched(tmp_path / "sweep", completed, 4, PAUSED)
    charts = charts_of(found)
    for chart in charts.values():
        json.dumps(as_plotly(chart), allow_nan=False)
    if completed == 0:
        assert tried_sweeps(found) == []
        assert "nothing to compare yet" in found.verdicts[0]
        return
    history, lr = charts["history"], charts["optim.lr-val_accuracy"]
    assert ", 0 pruned, 4 paused" in history.caption
    assert "A ring is one of 4 paused ones at its last value so far." in lr.caption
    for chart in (history, lr):
        assert isinstance(chart, XY)
        (rings,) = (series for series in chart.series if series.ring)
        assert len(rings.x) == 4
        assert as_picture(chart, "png")
    assert "completed, 0 pruned, 4 paused." in charts["intermediate-sweep"].caption
    for slug in ("parallel-sweep", "contour-sweep"):
        if slug in charts:
            assert "4 paused ones, whose values are not final, are left out" in charts[slug].caption


def test_the_epochs_of_paused_trials_cost_and_what_they_lack_is_said(tmp_path: Path) -> None:
    found = searched(tmp_path / "sweep", 2, 3, PAUSED)
    assert found.cost.epochs == 2 * 6 + 3 * 3
    assert (found.cost.epochs_spared, found.cost.epochs_left) == (0, 9)
    assert "; paused trials lack 9 epochs (30 % of all planned)." in found.cost.sentence()
    assert found.cost.seconds_lost == 0


def test_epochs_lie_where_they_were_trained_and_idle_time_is_cut_out(tmp_path: Path) -> None:
    folder, day = tmp_path / "sweep", datetime(2026, 5, 1, 12)
    searched(folder, 1, 2, PAUSED)
    for number in range(3):  # an epoch takes 2.47 s; the last ones are thawed a day later
        ends = [day + timedelta(seconds=3 * (number + 1) + 86_400 * (n > 1)) for n in range(6)]
        log(folder / str(number), [end + timedelta(seconds=9 * n) for n, end in enumerate(ends)])
    chart = charts_of(answer(gather([folder]), Question()))["epochs-sweep"]
    assert isinstance(chart, XY)
    bars = [series for series in chart.series if series.big]
    spans = [
        (series.y[i], float(str(series.x[i])), float(str(series.x[i + 1])))
        for series in bars
        for i in range(0, len(series.x), 3)
    ]
    assert sorted(row or 0.0 for row, _, _ in spans) == [0.0] * 6 + [1.0] * 3 + [2.0] * 3
    assert all(end - start == pytest.approx(2.47, abs=0.02) for _, start, end in spans)
    assert max(end for _, _, end in spans) == pytest.approx(12 * 2.47, abs=0.2)
    (rings,) = (series for series in chart.series if series.ring)
    assert list(rings.y) == [1.0, 2.0]
    assert "12 of 18 epochs in 3 trials: 1 completed, 2 paused." in chart.caption
    json.dumps(as_plotly(chart), allow_nan=False)
    assert as_picture(chart, "png")


@pytest.mark.parametrize(
    "text", ["", "[2026-13-41 00:00:00,000][a][INFO] epoch 1, x\n" * 3, "\x00"]
)
def test_logs_that_tell_no_time_make_no_chart(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "sweep"
    searched(folder, 2, 2, PAUSED)
    for number in range(4):
        (folder / str(number) / "cnnsweep.log").write_text(text)
    assert "epochs-sweep" not in charts_of(answer(gather([folder]), Question()))
