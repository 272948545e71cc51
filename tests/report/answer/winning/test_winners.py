"""Winners are flagged as chosen; costs are added up over all runs."""

from pathlib import Path
from statistics import mean, stdev

import pytest
from scipy import stats

import cnnsweep.report
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.winning.winners import winners_table
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.significance import expected_maximum
from tests.report.made_runs import Job, make_run
from tests.report.made_sweeps import make_sweep


def _answer(folder: Path) -> Answer:
    return answer(gather([folder]), Question())


def test_a_winner_is_optimistic_by_a_bound_and_its_test_figure_stands_beside(
    tmp_path: Path,
) -> None:
    make_sweep(tmp_path / "sweep", trials=12, confirm=5)
    (winner,) = _answer(tmp_path).winners
    best = max(r.metric("objective") or 0 for r in winner.sweep.runs if r.role == "search")
    assert winner.best == best
    assert winner.tried == 11  # one failed: it is none of those that the best was chosen from
    assert len(winner.confirmed) == len(winner.test) == 5
    sentence = winner.sentence()
    assert "chosen on validation as the best of 11 trials, hence optimistic (by up to" in sentence
    interval = stats.t.interval(0.95, 4, mean(winner.test), stats.sem(winner.test))
    half, deviation = 100 * (interval[1] - interval[0]) / 2, 100 * stdev(winner.test)
    test = f"{100 * mean(winner.test):.2f} ± {half:.2f} % (n = 5, sd {deviation:.2f})"
    assert sentence.endswith(f"; test {test}.")


def test_settings_stand_last_in_the_table_of_winners(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=6, confirm=3)
    (winner,) = _answer(tmp_path).winners
    (block,) = winners_table([winner])
    assert block.columns[0] == "search"
    assert block.columns[-1] == "settings"
    pairs = [word.partition("=") for word in winner.settings]
    rounded = [f"{key}={float(value):.4g}" for key, _, value in pairs]
    assert block.rows[0][-1] == " ".join(rounded)
    assert rounded != winner.settings
    cells = dict(zip(block.columns, block.rows[0], strict=True))
    assert (cells["trials"], cells["n"], cells["search"]) == ("6", "3", winner.sweep.name)


def test_without_confirmation_the_winner_says_so(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=6, confirm=0)
    (winner,) = _answer(tmp_path).winners
    assert winner.bias is None
    assert winner.sentence().endswith("no confirmation run has read the test split.")


def test_several_seeds_a_trial_are_averaged_and_tell_the_noise(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=4, seeds=3, confirm=0)
    (winner,) = _answer(tmp_path).winners
    assert winner.tried == 4
    assert winner.bias is not None
    assert 0 < winner.bias < 0.01 * expected_maximum(4)


def test_costs_count_every_run_and_pruning_is_what_was_planned_less_what_was_done(
    tmp_path: Path,
) -> None:
    make_run(tmp_path / "0", Job(epochs=10))
    make_run(tmp_path / "1", Job(epochs=10, status="pruned"))
    make_run(tmp_path / "2", Job(epochs=10, status="failed", error="RuntimeError: no 1"))
    make_run(tmp_path / "3", Job(epochs=10, status="failed", error="RuntimeError: no 2"))
    make_run(tmp_path / "4", Job(epochs=10, status="unfinished"))
    cost = _answer(tmp_path).cost
    assert (cost.epochs, cost.epochs_spared) == (10 + 5 + 1 + 1 + 5, 5)
    assert cost.seconds == pytest.approx(22 * (1.5 + 0.97))
    assert cost.seconds_lost == pytest.approx(2 * (1.5 + 0.97))
    assert [(cause, n) for cause, n, _ in cost.failures] == [("RuntimeError: no 1", 2)]
    assert "pruning spared 5 epochs (19 % of all planned)" in cost.sentence()


def test_a_search_with_several_objectives_has_no_one_winner_but_a_report(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "sweep", trials=6, confirm=0)
    for number in range(6):
        for name, old, new in (
            ("config.yaml", "objective: val_accuracy", "objective: [val_accuracy, parameters]"),
            ("result.json", '"objective": 0', '"objective": [1, 0.9], "x": 0'),
        ):
            path = sweep / str(number) / name
            path.write_text(path.read_text().replace(old, new))
    assert _answer(tmp_path).winners == []
    assert cnnsweep.report.write(tmp_path).is_file()


def test_confirmations_of_a_former_winner_are_no_trials(tmp_path: Path) -> None:
    sweep = make_sweep(tmp_path / "s", trials=4, confirm=3)
    before = answer(gather([tmp_path]), Question())
    for seed in (1, 2, 3):
        make_run(
            sweep / "confirm-of-7" / str(seed), Job("resnet", seed, mode="MULTIRUN", accuracy=0.999)
        )
    after = answer(gather([tmp_path]), Question())
    assert after.winners[0].sentence() == before.winners[0].sentence()
    assert [group.n for group in after.grouping.groups] == [g.n for g in before.grouping.groups]
    assert [run.folder for _, runs in after.best() for run in runs] == [
        run.folder for _, runs in before.best() for run in runs
    ]
    assert len(after.runs) == len(before.runs) + 3  # the table has them
    assert any("3 runs confirmed an earlier winner" in note for note in after.notes)


def test_completed_runs_without_the_metric_are_told(tmp_path: Path) -> None:
    for seed in range(3):
        make_run(tmp_path / str(seed), Job("simple", seed))
    make_run(tmp_path / "untested", Job("lenet", 0, test=False))
    (note,) = [n for n in answer(gather([tmp_path]), Question()).notes if "are in no group" in n]
    assert "1 completed runs have no test_accuracy" in note
    assert "untested" in note
