"""A sweep's folder stands for its best trial, wherever the folder lies now."""

from pathlib import Path

import pytest
import yaml

from cnnsweep.errors import UserError
from cnnsweep.export.export import chosen_run


def made(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()
    return folder


def finished(sweep: Path, **results: object) -> Path:
    made(sweep, "multirun.yaml")
    text = yaml.safe_dump({"name": "optuna"} | results, sort_keys=False)
    (sweep / "optimization_results.yaml").write_text(text)
    return sweep


def test_a_run_is_itself(tmp_path: Path) -> None:
    run = made(tmp_path / "run", "config.yaml")
    assert chosen_run(run) == run


def test_of_a_sweep_that_was_moved_it_is_the_best_trial(tmp_path: Path) -> None:
    sweep = finished(tmp_path, best_trial=3, best_folder="/another/machine/3")
    made(sweep / "3", "config.yaml", "best.pt")
    assert chosen_run(sweep) == sweep / "3"


def test_of_several_seeds_it_is_the_first(tmp_path: Path) -> None:
    sweep = finished(tmp_path, best_trial=3, best_folder="3")
    for seed in (9, 10, 11):
        made(sweep / "3" / f"seed_{seed}", "config.yaml", "best.pt")
    assert chosen_run(sweep) == sweep / "3" / "seed_9"
    assert chosen_run(sweep / "3") == sweep / "3" / "seed_9"


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({"best_trial": None, "best_folder": None}, "none was completed"),
        ({"solutions": [{"folder": "x/1"}, {"folder": "x/4"}]}, "name one of SWEEP/1, SWEEP/4"),
        ({"lenet": {"best_folder": "x"}, "resnet": {}}, "name one of SWEEP/lenet, SWEEP/resnet"),
    ],
)
def test_without_a_single_best_trial_the_choice_is_named(
    results: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        chosen_run(finished(tmp_path, **results))
    assert said in str(caught.value).replace(str(tmp_path), "SWEEP")


def test_a_search_that_is_not_over_has_none_yet(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no best trial yet: name a run folder in it"):
        chosen_run(made(tmp_path, "multirun.yaml"))
