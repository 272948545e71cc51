"""Kill anything, any time; type the same command; it ends as if nothing had happened."""

from pathlib import Path

import pytest

from tests.sweep.sweep_commands import (
    OURS,
    TOY,
    TOY_SPACE,
    command,
    finish,
    kill_until_done,
    metrics,
    start,
    sweep,
    table,
    to_its_end,
)

ONE_WORKER = ("hydra.sweeper.n_jobs=1", "hydra.sweeper.n_trials=8")
TOY_TRAINING = (*TOY_SPACE, "epochs=6", "epoch_seconds=0.05")
LONG_TOY_TRAINING = (*TOY_SPACE, "epochs=15", "epoch_seconds=0.1")
OUR_TRAINING = (
    *("search=sgd", "model=lenet", "model.activation=relu", "model.channels=[2, 4]"),
    *("data.train_limit=200", "epochs=4", "hydra/sweeper/pruner=percentile"),
    *("hydra.sweeper.pruner.n_startup_trials=2", "hydra.sweeper.pruner.n_warmup_steps=1"),
)


def test_a_sweep_killed_often_ends_with_the_table_of_an_unbroken_one(tmp_path: Path) -> None:
    settings = (*TOY_TRAINING, *ONE_WORKER)
    whole = sweep(TOY, tmp_path / "whole", *settings)
    assert whole.code == 0, whole.text
    line = command(TOY, tmp_path / "killed", *settings)
    assert kill_until_done(line, tmp_path / "killed", seed=0, most=4, seconds=0.4) >= 3
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


@pytest.mark.slow
def test_real_trainings_killed_end_with_the_table_of_unbroken_ones(tmp_path: Path) -> None:
    settings = (*OUR_TRAINING, "hydra.sweeper.n_jobs=1", "hydra.sweeper.n_trials=2")
    whole = sweep(OURS, tmp_path / "whole", *settings)
    assert whole.code == 0, whole.text
    line = command(OURS, tmp_path / "killed", *settings)
    assert kill_until_done(line, tmp_path / "killed", seed=1, most=1, seconds=0.5) == 1
    assert table(tmp_path / "killed") == table(tmp_path / "whole")


def test_with_several_workers_no_trial_is_lost_or_repeated(tmp_path: Path) -> None:
    settings = (*TOY_TRAINING, "hydra.sweeper.n_jobs=3", "hydra.sweeper.n_trials=12")
    line = command(TOY, tmp_path / "sweep", *settings)
    assert kill_until_done(line, tmp_path / "sweep", seed=2, most=2, seconds=0.4) > 0
    trials = table(tmp_path / "sweep")
    assert [t["number"] for t in trials] == list(range(12))
    assert {t["state"] for t in trials} <= {"COMPLETE", "PRUNED"}
    assert len({tuple(t["params"].values()) for t in trials}) == 12


def test_a_full_disk_ends_a_sweep_that_goes_on_once_there_is_room(tmp_path: Path) -> None:
    settings = (*TOY_TRAINING, *ONE_WORKER, "epoch_seconds=0")
    assert sweep(TOY, tmp_path / "whole", *settings).code == 0
    line = command(TOY, tmp_path / "full", *settings)
    journal = (tmp_path / "whole/study.journal").stat().st_size
    limited = ["prlimit", f"--fsize={journal // 2}", *line]
    full = finish(start(limited))
    assert full.code != 0
    assert "File too large" in full.text
    assert to_its_end(line).code == 0
    assert table(tmp_path / "full") == table(tmp_path / "whole")


LONG_TRAININGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cmaes halving": (TOY, (*LONG_TOY_TRAINING, "hydra/sweeper/pruner=halving")),
    "qmc hyperband": (TOY, (*LONG_TOY_TRAINING, "hydra/sweeper/pruner=hyperband")),
    "gp seeds": (TOY, (*LONG_TOY_TRAINING, "hydra.sweeper.seeds=2")),
    "tpe lenet": (OURS, OUR_TRAINING),
    "random resnet": (OURS, ("search=sgd", "model=resnet", "data.train_limit=200", "epochs=4")),
}
KILLS_EACH = 12  # sixty in all


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LONG_TRAININGS)
def test_sixty_kills_over_several_sweeps_change_nothing(tmp_path: Path, name: str) -> None:
    app, training = LONG_TRAININGS[name]
    kills = sweeps = 0
    while kills < KILLS_EACH:
        seeds = (f"seed={sweeps}", "hydra.sweeper.n_jobs=1", "hydra.sweeper.n_trials=10")
        settings = (*training, *seeds, f"hydra/sweeper/sampler={name.split()[0]}")
        whole, killed = tmp_path / f"whole{sweeps}", tmp_path / f"killed{sweeps}"
        assert sweep(app, whole, *settings).code == 0
        line = command(app, killed, *settings)
        kills += kill_until_done(line, killed, seed=sweeps, most=KILLS_EACH, seconds=0.5)
        assert table(killed) == table(whole)
        sweeps += 1
    print(f"{name}: {kills} kills in {sweeps} sweeps, tables identical")


@pytest.mark.slow
def test_a_trial_among_others_equals_a_lone_run_of_its_saved_config(tmp_path: Path) -> None:
    settings = (*OUR_TRAINING, "hydra.sweeper.n_jobs=2", "hydra.sweeper.n_trials=4")
    assert sweep(OURS, tmp_path / "sweep", *settings).code == 0
    for row in table(tmp_path / "sweep"):
        saved = tmp_path / "sweep" / str(row["number"]) / ".hydra"
        lone = tmp_path / "lone" / str(row["number"])
        overrides = [f"--config-path={saved}", "--config-name=config", f"hydra.run.dir={lone}"]
        line = command(("cnnsweep",), lone)
        line = line[:3] + overrides
        done = finish(start(line))
        assert done.code == 0, done.text
        assert row["metrics"]
        assert metrics(lone)[: len(row["metrics"])] == row["metrics"]
