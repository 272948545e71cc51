"""Comparing choices of a config group: a study each, winners confirmed, one report over all."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.sweep.sweep_commands import OURS, Done, study, sweep

CHOICES = ("simple", "lenet")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("compare") / "sweep"
    settings = ("search=compare", f"hydra.sweeper.compare.model=[{','.join(CHOICES)}]")
    tiny = ("data.train_limit=200", "epochs=1", "hydra.sweeper.n_trials=2", "threads=1")
    return folder, sweep(OURS[:1], folder, *settings, *tiny, "hydra.sweeper.confirm=1")


def test_every_choice_gets_its_study_and_its_confirmation(compared: tuple[Path, Done]) -> None:
    folder, done = compared
    assert done.code == 0, done.text
    for choice in CHOICES:
        assert len(study(folder / choice, f"cnnsweep/{choice}").trials) == 2
        run = OmegaConf.load(folder / choice / "confirm/1/config.yaml")
        assert run.model._target_.rpartition(".")[2].lower().startswith(choice[:4])
        assert (run.test, run.pictures, run.seed) == (True, True, 1)
        trial = OmegaConf.load(folder / choice / "0/config.yaml")
        assert (trial.test, trial.pictures, trial.seed) == (False, False, 0)


def test_the_default_config_is_the_first_trial(compared: tuple[Path, Done]) -> None:
    folder, _ = compared
    first = study(folder / "lenet", "cnnsweep/lenet").trials[0]
    assert first.params == {"optim.lr": 0.01, "optim.momentum": 0.9, "data.batch_size": 32}


def test_the_sweep_folder_holds_all_results_and_one_report(compared: tuple[Path, Done]) -> None:
    folder, done = compared
    written = OmegaConf.load(folder / "optimization_results.yaml")
    assert set(written) == {"name", *CHOICES}
    assert (folder / "report/index.html").exists()
    assert f"report: {folder / 'report/index.html'}" in done.text
