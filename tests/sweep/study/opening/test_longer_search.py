"""The command that trains a search's best points for more epochs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from cnnsweep.sweep.study.opening.longer_search import longer_search


@pytest.mark.parametrize(("points", "proposed"), [(1, 1), (4, 4), (5, 5), (40, 5)])
def test_what_is_of_the_former_search_alone_is_left_out(
    points: int, proposed: int, tmp_path: Path
) -> None:
    of_hydra = [
        "hydra.sweeper.warm_start=[multirun/old]",
        "hydra.sweeper.dry_run=true",
        "hydra.sweeper.points=points.csv",
        "hydra.sweeper.n_trials=40",
        "hydra/sweeper/pruner=freeze_thaw",
        "hydra.sweeper.pruner.budget=0.2",
        "hydra.sweeper.seeds=3",
        f"hydra.sweep.dir={tmp_path}",
    ]
    of_the_run = ["search=sgd", "model=lenet", "epochs=20"]
    hydra = {
        "overrides": {"hydra": of_hydra, "task": of_the_run},
        "runtime": {"config_sources": []},
        "job": {"config_name": "config"},
    }
    config = OmegaConf.create({"hydra": hydra})
    context: Any = SimpleNamespace(is_our_task=True, config=config, folder=tmp_path)
    assert longer_search(context, 0, 3) is None
    its = "best point for as long, in a folder of its own"
    several = f"best {proposed} points for as long, in a folder of their own"
    resumed = f"python -m cnnsweep resume={tmp_path}"
    to_complete = f"{resumed} hydra.sweeper.pruner.budget=1 first completes"
    for paused, said in (
        (0, ""),
        (1, f" (its paused trial is left out: {to_complete} it)"),
        (5, f" (its 5 paused trials are left out: {to_complete} them)"),
    ):
        sentence = longer_search(context, points, paused)
        assert sentence is not None
        assert sentence.startswith(f"To train its {its if points == 1 else several}{said}: python")
    assert str(longer_search(context, points, 0)).partition(" own: ")[2] == (
        "python -m cnnsweep --multirun hydra.sweeper.seeds=3 search=sgd model=lenet epochs=20 "
        f"hydra.sweeper.points={tmp_path} hydra.sweeper.n_trials={proposed} "
        "hydra.sweeper.default_first=false hydra/sweeper/pruner=none"
    )
