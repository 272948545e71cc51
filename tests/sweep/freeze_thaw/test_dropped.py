"""Paused trials that can no longer go on are over, once and for good."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.freeze_thaw.choice import TARGET, option, pruner_as_begun
from cnnsweep.sweep.freeze_thaw.dropping import drop_paused
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.study.trial_results import lacks_checkpoint
from tests.sweep.freeze_thaw.simulated import Disk, drive
from tests.sweep.freeze_thaw.test_whole_searches import TRIALS, search


@pytest.mark.parametrize("seeds", [1, 2])
def test_trials_without_a_checkpoint_are_pruned_and_the_others_go_on(
    tmp_path: Path, seeds: int
) -> None:
    parts, disk = search(tmp_path, seeds=seeds), Disk()
    drive(parts, disk)
    paused = [t.number for t in parts.search.study.get_trials() if is_paused(t)]
    for folder in {folder for folder, _ in disk.trained}:
        (tmp_path / folder / "last.pt").touch()
    lost = RunFolder(tmp_path / (f"{paused[0]}" if seeds == 1 else f"{paused[0]}/seed_1"))
    lost.last.unlink()
    for _ in range(2):
        drop_paused(
            parts.search.study,
            parts.search.recorder,
            lambda trial: lacks_checkpoint(parts.search.plan.place(trial)),
            "no checkpoint",
        )
    trials = parts.search.study.get_trials()
    assert [t.number for t in trials if t.state.name == "PRUNED"] == paused[:1]
    assert [t.number for t in trials if is_paused(t)] == paused[1:]
    assert parts.status(str(paused[0])) == "pruned"
    assert sum(f"trial {paused[0]}: pruned at step" in line for line in parts.said) == 1
    storage = parts.storage
    more = search(tmp_path, storage=storage, seeds=seeds, budget=1.0)
    drive(more, disk)
    states = more.states()
    assert (states.count("COMPLETE"), states.count("PRUNED")) == (TRIALS - 1, 1)


def test_a_search_that_was_begun_with_the_former_default_keeps_it() -> None:
    said: list[str] = []
    median, pausing = option("median"), option("freeze_thaw")
    recorded = OmegaConf.to_container(median)
    assert isinstance(recorded, dict)
    assert pruner_as_begun(recorded, pausing, said.append)._target_ == median._target_  # type: ignore[arg-type]
    assert "hydra/sweeper/pruner=median" in said.pop()
    for other in (recorded | {"n_warmup_steps": 9}, OmegaConf.to_container(pausing)):
        assert pruner_as_begun(other, pausing, said.append)._target_ == TARGET  # type: ignore[arg-type]
    assert pruner_as_begun(recorded, median, said.append) is median  # type: ignore[arg-type]
    assert said == []
