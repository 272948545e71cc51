"""The first line of a launch is true, and a later launch keeps the threads of the first."""

import os
from pathlib import Path

from tests.forked_commands import forked_commands
from tests.sweep.sweep_commands import OURS, study, sweep

TWO = (
    *("optim.lr=interval(0.01,0.1)", "hydra.sweeper.n_trials=2", "hydra/sweeper/pruner=none"),
    *("epochs=1", "data.train_limit=200"),
)
MANY = 2 * (os.cpu_count() or 1) + 1  # threads, more than there are cores


def test_a_resumed_sweep_says_the_threads_that_it_keeps_and_no_more_workers_than_fit(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "sweep"
    done = sweep(OURS, folder, *TWO, "hydra.sweeper.n_jobs=1", f"threads={MANY}")
    assert done.code == 0, done.text
    first, note = done.text.splitlines()[:2]
    assert first == f"1 worker of {MANY} threads: hydra.sweeper.n_jobs=1 (auto: 1)"
    assert note.startswith(f"note: {MANY} threads in a worker are more than ")
    assert study(folder).user_attrs["facts"]["threads"] == MANY
    first, note = sweep(OURS, folder, *TWO).text.splitlines()[:2]
    assert first.startswith(f"1 worker of {MANY} threads as at the first launch: ")
    assert note.startswith(f"note: {MANY} threads in a worker are more than ")
    first, *notes = sweep(OURS, folder, *TWO, "hydra.sweeper.n_jobs=2").text.splitlines()[:3]
    assert first == (
        f"2 workers of {MANY} threads as at the first launch: hydra.sweeper.n_jobs=2 (auto: 1)"
    )
    assert notes[0].startswith("note: 2 workers are more than is sensible: auto takes 1 (")


def test_no_worker_is_no_number_of_workers(tmp_path: Path) -> None:
    allowed = "allowed is auto, or a whole number from 1 up"
    with forked_commands() as commands:
        for sweep_of, number in zip(
            ("search=sgd", "seed=0,1") * 2, ("0", "-1", "1.5", "all"), strict=True
        ):
            typed = f"hydra.sweeper.n_jobs={number}"
            ended = commands.run(["-m", sweep_of, typed], tmp_path)
            assert ended == (1, "", f"error: {typed} is out of range: {allowed}\n")
            assert list(tmp_path.glob("multirun/*/*")) == []
