"""Real searches that pause, by command: what they leave, how they go on, and killed."""

import json
from pathlib import Path

import pytest

from cnnsweep.sweep.freeze_thaw.paused import PAUSED, is_paused
from tests.sweep.sweep_commands import OURS, command, kill_until_done, metrics, study, sweep, table

SEARCH = ("search=sgd", "model=lenet", "model.channels=[2, 4]", "data.train_limit=200")
BUDGET = "hydra.sweeper.pruner.budget"
KILLS_EACH = 5  # twenty in all


def test_paused_trials_wait_and_go_on_to_what_they_would_have_become(tmp_path: Path) -> None:
    search = (*SEARCH, "hydra/sweeper/sampler=random", "epochs=3", "hydra.sweeper.n_jobs=1")
    few = (*search, "hydra.sweeper.n_trials=4")
    folder = tmp_path / "sweep"
    first = sweep(OURS, folder, *few, f"{BUDGET}=0.5")
    assert first.code == 0, first.text
    paused = [trial for trial in study(folder).trials if is_paused(trial)]
    assert len(paused) == 3
    for trial in paused:
        run = folder / str(trial.number)
        result = json.loads((run / "result.json").read_text())
        assert (result["status"], result["epochs"]) == ("paused", trial.user_attrs[PAUSED])
        assert (run / "last.pt").exists()
        assert trial.last_step == len(metrics(run)) == trial.user_attrs[PAUSED]
    again = sweep(OURS, folder, *few, f"{BUDGET}=0.5")
    assert again.code == 0, again.text
    assert [t for t in study(folder).trials if is_paused(t)] == paused
    (folder / str(paused[0].number) / "last.pt").unlink()
    whole = sweep(OURS, folder, *few, f"{BUDGET}=1")
    assert whole.code == 0, whole.text
    plain = sweep(OURS, tmp_path / "plain", *few, "hydra/sweeper/pruner=none")
    assert plain.code == 0, plain.text
    for mine, theirs in zip(table(folder), table(tmp_path / "plain"), strict=True):
        if mine["number"] == paused[0].number:
            assert mine["state"] == "PRUNED"
            assert mine["metrics"] == theirs["metrics"][: len(mine["metrics"])]
        else:
            assert mine == theirs


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_kills_of_searches_that_pause_change_nothing(
    tmp_path: Path, sampler: str, workers: int
) -> None:
    kills = sweeps = 0
    while kills < KILLS_EACH:
        settings = (
            *(*SEARCH, "epochs=6", f"seed={sweeps}", f"hydra/sweeper/sampler={sampler}"),
            *("hydra.sweeper.n_trials=8", f"hydra.sweeper.n_jobs={workers}", f"{BUDGET}=0.6"),
        )
        whole, killed = tmp_path / f"whole{sweeps}", tmp_path / f"killed{sweeps}"
        assert sweep(OURS, whole, *settings).code == 0
        line = command(OURS, killed, *settings)
        most = KILLS_EACH - kills
        kills += kill_until_done(line, killed, seed=sweeps, most=most, seconds=0.5)
        if workers == 1:
            assert table(killed) == table(whole)
        else:
            _is_in_order(killed)
        sweeps += 1
    print(f"{sampler}, {workers} workers: {kills} kills in {sweeps} sweeps")


def _is_in_order(folder: Path) -> None:
    """All trials were begun, none has an epoch twice, the best one is whole, the budget is kept."""
    trials = study(folder).trials
    assert [trial.number for trial in trials] == list(range(8))
    spent = 0
    for trial in trials:
        rows = metrics(folder / str(trial.number))
        assert [int(row["epoch"]) for row in rows] == list(range(1, len(rows) + 1))
        assert [float(row["val_accuracy"]) for row in rows] == list(
            trial.intermediate_values.values()
        )
        spent += len(rows)
    assert spent <= 0.6 * 8 * 6
    known = [t for t in trials if t.intermediate_values and t.state.name != "FAIL"]
    best = max(max(t.intermediate_values.values()) for t in known)
    assert study(folder).best_value == best
