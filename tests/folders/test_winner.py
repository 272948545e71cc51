"""A sweep's folder stands for its best run, wherever the folder lies now."""

import json
from pathlib import Path

import pytest
import yaml

from cnnsweep.errors import UserError
from cnnsweep.folders.winner import chosen_run


def made(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).write_text("{}")
    return folder


def finished(sweep: Path, **results: object) -> Path:
    made(sweep, "multirun.yaml")
    text = yaml.safe_dump({"name": "optuna"} | results, sort_keys=False)
    (sweep / "optimization_results.yaml").write_text(text)
    return sweep


def completed(run: Path, value: object, *, status: str = "completed", **config: object) -> Path:
    made(run, "best.pt")
    plain = {"objective": "val_accuracy", "seed": 0} | config
    (run / "config.yaml").write_text(yaml.safe_dump(plain))
    (run / "result.json").write_text(json.dumps({"status": status, "objective": value}))
    return run


def test_a_run_is_itself(tmp_path: Path) -> None:
    run = made(tmp_path / "run", "config.yaml")
    assert chosen_run(run) == (run, None)


def test_of_a_sweep_that_was_moved_it_is_the_best_trial(tmp_path: Path) -> None:
    sweep = finished(tmp_path, best_trial=3, best_folder="/another/machine/3")
    made(sweep / "3", "config.yaml", "best.pt")
    run, said = chosen_run(sweep)
    assert run == sweep / "3"
    assert said == f"{sweep}: trial 3, its winner, is taken"


def test_of_several_seeds_it_is_the_first(tmp_path: Path) -> None:
    sweep = finished(tmp_path, best_trial=3, best_folder="3")
    for seed in (9, 10, 11):
        made(sweep / "3" / f"seed_{seed}", "config.yaml", "best.pt")
    assert chosen_run(sweep).run == sweep / "3" / "seed_9"
    assert chosen_run(sweep / "3").run == sweep / "3" / "seed_9"


def comparison(sweep: Path, confirmed: dict[str, list[float]]) -> Path:
    """Three choices, of which the last found the best value in its search."""
    found = {"simple": 0.7, "lenet": 0.8, "resnet": 0.9}
    for number, (choice, value) in enumerate(found.items()):
        completed(sweep / choice / str(number), value)
        for seed, mean in enumerate(confirmed.get(choice, [])):
            completed(sweep / choice / "confirm" / str(seed), mean, seed=seed)
    results: dict[str, object] = {
        choice: {"best_value": value, "best_trial": n, "best_folder": f"/elsewhere/{choice}/{n}"}
        for n, (choice, value) in enumerate(found.items())
    }
    return finished(sweep, **results)


@pytest.mark.parametrize(
    ("confirmed", "best"),
    [
        ({}, "resnet/2"),
        ({"simple": [0.8, 0.9], "lenet": [0.95, 0.7], "resnet": [0.8]}, "simple/0"),
        ({"simple": [0.8, 0.9], "lenet": [0.95, 0.8]}, "lenet/1"),
    ],
)
def test_of_a_comparison_it_is_the_best_confirmed_choice(
    confirmed: dict[str, list[float]], best: str, tmp_path: Path
) -> None:
    run, said = chosen_run(comparison(tmp_path / "c", confirmed))
    assert run == tmp_path / "c" / best
    assert said is not None
    assert ("confirmation runs" in said) == bool(confirmed)


def searched_twice(
    sweep: Path, choices: dict[str, tuple[float, float]], confirmed: dict[str, list[float]]
) -> Path:
    """Two searches of each choice with their best values, and confirmation runs of some."""
    whole: dict[str, object] = {}
    for choice, values in choices.items():
        found = {}
        for number, value in enumerate(values):
            name, place = f"search_{number}", f"{choice}/search_{number}".lstrip("/")
            completed(sweep / place / "7", value)
            for seed, mean in enumerate(confirmed.get(place, [])):
                completed(sweep / place / "confirm" / str(seed), mean, seed=seed)
            found[name] = {"best_value": value, "best_trial": 7, "best_folder": f"/away/{place}/7"}
            finished(sweep / place, **found[name])
        if choice:
            finished(sweep / choice, **found)
        whole |= {choice: found} if choice else found
    return finished(sweep, **whole)


@pytest.mark.parametrize(
    ("confirmed", "best", "of_lenet"),
    [
        ({}, "resnet/search_0", "lenet/search_1"),  # 0.85 on average, and 0.8
        (
            {"lenet/search_0": [0.9], "lenet/search_1": [0.8], "resnet/search_1": [0.7, 0.9]},
            "lenet/search_0",
            "lenet/search_0",
        ),
        ({"resnet/search_1": [0.1]}, "resnet/search_1", "lenet/search_1"),
        # Each search counts once, however many runs confirmed it: 0.6 and 0.55.
        (
            {"lenet/search_0": [0.2], "lenet/search_1": [1.0], "resnet/search_0": [0.1],
             "resnet/search_1": [1.0, 1.0, 1.0]},
            "lenet/search_1",
            "lenet/search_1",
        ),
    ],
)  # fmt: skip
def test_of_several_searches_the_best_one_of_the_best_choice_is_taken(
    confirmed: dict[str, list[float]], best: str, of_lenet: str, tmp_path: Path
) -> None:
    choices = {"lenet": (0.7, 0.9), "resnet": (0.86, 0.84)}
    sweep = searched_twice(tmp_path / "c", choices, confirmed)
    run, said = chosen_run(sweep)
    assert run == sweep / best / "7"
    assert said is not None
    assert f"trial 7 of {best} is taken, the best of" in said
    assert chosen_run(sweep / "lenet").run == sweep / of_lenet / "7"
    assert chosen_run(sweep / "resnet/search_0").run == sweep / "resnet/search_0/7"


def test_several_searches_without_a_comparison_are_the_choices(tmp_path: Path) -> None:
    sweep = searched_twice(tmp_path, {"": (0.7, 0.9)}, {"search_0": [0.95], "search_1": [0.9]})
    run, said = chosen_run(sweep)
    assert run == sweep / "search_0/7"
    assert said == (
        f"{sweep}: trial 7 of search_0 is taken, the best of 2 searches by val_accuracy in "
        "1 confirmation runs (0.95)"
    )


def test_a_choice_whose_searches_are_not_over_stands_for_its_best_run_so_far(
    tmp_path: Path,
) -> None:
    for number, value in enumerate((0.7, 0.8)):
        completed(tmp_path / "resnet" / f"search_{number}" / "0", value, width=number)
    assert chosen_run(tmp_path / "resnet").run == tmp_path / "resnet/search_1/0"


def test_of_a_grid_it_is_the_best_settings_by_their_mean_over_seeds(tmp_path: Path) -> None:
    sweep = made(tmp_path, "multirun.yaml")
    for number, (width, seed, value) in enumerate(
        [(1, 0, 0.99), (1, 1, 0.5), (2, 0, 0.8), (2, 1, 0.9), (3, 0, 0.7)]
    ):
        completed(sweep / str(number), value, seed=seed, model={"width": width})
    completed(sweep / "5", 0.999, status="failed", model={"width": 4})
    completed(sweep / "6", None, model={"width": 5})
    completed(sweep / "7", float("nan"), model={"width": 6})
    run, said = chosen_run(sweep)
    assert run == sweep / "2"
    assert said == (
        f"{sweep}: run 2 is taken, the best of 3 completed settings (val_accuracy 0.85, the mean "
        "of 2 seeds, of which this is the first)"
    )


def test_of_a_loss_it_is_the_lowest_and_of_equal_ones_the_first(tmp_path: Path) -> None:
    sweep = made(tmp_path, "multirun.yaml")
    for number in range(12):
        value = 0.1 if number in (3, 11) else 0.2
        completed(sweep / str(number), value, objective="val_loss", model={"width": number})
    assert chosen_run(sweep).run == sweep / "3"


def test_of_a_search_that_is_not_over_it_is_the_best_so_far(tmp_path: Path) -> None:
    sweep = made(tmp_path)
    (sweep / "multirun.yaml").write_text(yaml.safe_dump({"hydra": {"sweeper": {"n_trials": 9}}}))
    completed(sweep / "0", 0.5)
    completed(sweep / "1", 0.6, model={"width": 2})
    completed(sweep / "confirm" / "1", 0.9, model={"width": 9})
    run, said = chosen_run(sweep)
    assert run == sweep / "1"
    assert "so far, since the search is not over" in str(said)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({"best_trial": None, "best_folder": None}, "none was completed"),
        ({"solutions": [{"folder": "x/1"}, {"folder": "x/4"}]}, "name one of SWEEP/1, SWEEP/4"),
        (
            {"lenet": {"best_folder": "x"}, "resnet": {"solutions": []}},
            "name one of SWEEP/lenet, SWEEP/resnet",
        ),
        ({"lenet": {"best_folder": None}, "resnet": {"best_folder": None}}, "none was completed"),
    ],
)
def test_without_a_single_best_trial_the_choice_is_named(
    results: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as caught:
        chosen_run(finished(tmp_path, **results))
    assert said in str(caught.value).replace(str(tmp_path), "SWEEP")


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        ([["val_accuracy", "parameters"]] * 2, "several objectives (val_accuracy, parameters)"),
        (["val_accuracy", "val_loss"], "several objectives (val_accuracy, val_loss)"),
    ],
)
def test_a_grid_with_several_objectives_has_no_single_best_job(
    objectives: list[object], said: str, tmp_path: Path
) -> None:
    sweep = made(tmp_path, "multirun.yaml")
    for number, objective in enumerate(objectives):
        completed(sweep / str(number), 0.5, objective=objective)
    with pytest.raises(UserError) as caught:
        chosen_run(sweep)
    assert said in str(caught.value)


def test_a_sweep_of_which_nothing_is_completed_has_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no completed run with an objective yet"):
        chosen_run(made(tmp_path, "multirun.yaml"))


def test_runs_that_nothing_chooses_among_are_named(tmp_path: Path) -> None:
    sweep = made(tmp_path, "multirun.yaml")
    completed(sweep / "10", None)
    completed(sweep / "9", None)
    completed(sweep / "2", None, status="failed")
    with pytest.raises(
        UserError, match=r"has no best run: .*data.val_fraction=0.*, such as"
    ) as said:
        chosen_run(sweep)
    assert str(said.value).endswith(f" {sweep / '9'}")


def test_another_folder_has_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds neither a run nor a sweep"):
        chosen_run(tmp_path)
    with pytest.raises(UserError, match="no-such: there is no such folder; allowed is that of"):
        chosen_run(tmp_path / "no-such")
