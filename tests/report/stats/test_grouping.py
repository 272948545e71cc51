"""Only like is averaged with like, and whatever isn't is said."""

from itertools import accumulate
from pathlib import Path

import pytest

from cnnsweep.diff.settings import settings_apart
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.group_keys import setting_keys
from cnnsweep.report.stats.grouping import Grouping, group_runs
from cnnsweep.report.stats.intervals import t_interval
from cnnsweep.report.stats.metric import choose_metric
from cnnsweep.report.stats.table import select
from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_sweeps import make_sweep


def _grouping(*folders: Path, by: str = "model", metric: str | None = None) -> Grouping:
    runs = gather([*folders]).runs
    return group_runs(runs, choose_metric(runs, metric), [by], t_interval)


def _sizes(grouping: Grouping) -> dict[str, int]:
    return {f"{g.stratum} {g.label}".strip(): g.n for g in grouping.groups}


def test_groups_are_by_model_best_first(tmp_path: Path) -> None:
    make_grid(tmp_path, ["lenet", "resnet", "simple"], range(3))
    grouping = _grouping(tmp_path)
    assert [group.label for group in grouping.groups] == ["resnet", "simple", "lenet"]
    assert [group.n for group in grouping.groups] == [3, 3, 3]
    assert grouping.notes == []


def test_only_completed_runs_are_averaged(tmp_path: Path) -> None:
    make_run(tmp_path / "0", Job(seed=0, accuracy=0.9))
    make_run(tmp_path / "1", Job(seed=1, accuracy=0.8))
    for number, status in enumerate(["pruned", "failed", "interrupted", "unfinished"], 2):
        make_run(tmp_path / str(number), Job(seed=number, status=status, accuracy=0.1))
    damaged = make_run(tmp_path / "6", Job(seed=6, accuracy=0.1))
    (damaged / "config.yaml").write_text("[")
    (group,) = _grouping(tmp_path).groups
    assert group.n == 2
    assert group.mean == pytest.approx(0.848)


@pytest.mark.parametrize(
    "changes",
    [{"data.val_fraction": 0.2}, {"data.train_limit": 1000}, {"epochs": 9}],
)
def test_other_data_splits_and_epochs_are_groups_of_their_own(
    tmp_path: Path, changes: dict[str, float]
) -> None:
    make_grid(tmp_path / "a", ["simple", "resnet"], range(2))
    make_grid(tmp_path / "b", ["simple", "resnet"], range(2), changes=changes)
    grouping = _grouping(tmp_path)
    assert len(grouping.strata()) == 2
    assert [group.n for group in grouping.groups] == [2, 2, 2, 2]
    assert grouping.notes == [
        f"Runs differ in {next(iter(changes))}: groups are compared within equal values only."
    ]


def test_where_files_lie_and_batch_size_do_not_make_data_different(tmp_path: Path) -> None:
    make_grid(tmp_path / "a", ["simple"], range(2))
    make_grid(tmp_path / "b", ["simple"], range(2, 4), changes={"data.root": "/elsewhere"})
    assert _sizes(_grouping(tmp_path)) == {"simple": 4}


def test_search_trials_are_left_out_where_there_is_anything_else(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=6, confirm=3)
    grouping = _grouping(tmp_path, metric="val_accuracy")
    assert _sizes(grouping) == {"resnet": 3}
    assert grouping.notes[0].startswith("5 search trials are left out of the groups")


@pytest.mark.parametrize(
    ("trials", "told"), [(1, "one trial of a search for want"), (2, "2 trials of searches for")]
)
def test_trials_are_averaged_where_there_is_nothing_else(
    trials: int, told: str, tmp_path: Path
) -> None:
    make_sweep(tmp_path / "sweep", trials=trials, confirm=0)
    grouping = _grouping(tmp_path, metric="val_accuracy")
    assert grouping.notes[0].startswith(f"The groups average {told}")


def test_a_search_without_confirmation_says_what_its_spread_is(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=6, confirm=0)
    grouping = _grouping(tmp_path)
    assert grouping.groups[0].n == 5
    assert "their spread is that of hyperparameters" in grouping.notes[0]


def test_a_group_that_mixes_hyperparameters_says_so(tmp_path: Path) -> None:
    make_grid(tmp_path / "a", ["simple"], range(2))
    make_grid(tmp_path / "b", ["simple"], range(2), changes={"optim.lr": 0.1})
    grouping = _grouping(tmp_path)
    assert grouping.groups[0].mixes == ["optim.lr"]
    assert (grouping.groups[0].settings, grouping.groups[0].interval) == (2, None)
    assert "simple mixes 2 settings (optim.lr)" in grouping.notes[0]
    assert _sizes(_grouping(tmp_path, by="optim.lr")) == {"0.01": 2, "0.1": 2}


def test_the_steps_of_a_range_are_one_setting_each_however_they_were_reckoned(
    tmp_path: Path,
) -> None:
    """Older code added steps up: the third of 0.1 is 0.30000000000000004."""
    points = [round(0.1 * number, 1) for number in range(1, 51)]
    added = [*accumulate([0.1] * len(points))]
    off = [number for number, point in enumerate(points) if added[number] != point]
    assert len(off) > 10
    for name, values in (("old", added), ("now", points)):
        for number, value in enumerate(values):
            job = Job(seed=number % 2, changes={"optim.momentum": value})
            make_run(tmp_path / name / str(number), job)
    (group,) = _grouping(tmp_path).groups
    assert (group.n, group.settings) == (50, 50)
    by_value = _grouping(tmp_path, by="optim.momentum")
    assert {(one.n, one.settings, len(one.runs)) for one in by_value.groups} == {(1, 1, 2)}
    third = select(gather([tmp_path]).runs, ["optim.momentum=0.3"])
    assert len(third) == 2
    twins = [tmp_path / name / str(off[0]) for name in ("old", "now")]
    assert setting_keys(gather(twins).runs, []) == []
    rest = settings_apart(*(run.config for run in gather(twins).runs))
    assert rest.different == []


def test_the_same_config_and_seed_twice_counts_once(tmp_path: Path) -> None:
    make_grid(tmp_path / "a", ["simple"], range(3))
    make_grid(tmp_path / "b", ["simple"], range(3))
    grouping = _grouping(tmp_path)
    assert _sizes(grouping) == {"simple": 3}
    assert "3 runs repeat the config and seed of another" in grouping.notes[0]


def test_another_target_under_the_same_choice_is_another_group(tmp_path: Path) -> None:
    make_run(tmp_path / "0", Job())
    make_run(tmp_path / "1", Job(changes={"model._target_": "my.Net"}))
    assert set(_sizes(_grouping(tmp_path))) == {"simple", "Net"}


def test_an_interval_of_accuracies_stays_within_0_and_1(tmp_path: Path) -> None:
    make_run(tmp_path / "0", Job(seed=0, accuracy=0.9))
    make_run(tmp_path / "1", Job(seed=1, accuracy=0.2))
    make_run(tmp_path / "2", Job(seed=2, accuracy=0.9))
    (group,) = _grouping(tmp_path).groups
    assert group.interval == (0.0, 1.0)


def test_the_sizes_of_an_architecture_are_not_what_runs_of_several_differ_in(
    tmp_path: Path,
) -> None:
    make_run(tmp_path / "0", Job("simple", changes={"model.kernel_size": 3}))
    make_run(tmp_path / "1", Job("resnet", changes={"optim.lr": 0.1}))
    assert setting_keys(gather([tmp_path]).runs, ["model"]) == ["optim.lr"]
    assert setting_keys(gather([tmp_path]).runs, []) == ["model", "optim.lr"]


def test_what_differs_under_one_option_is_a_setting_though_options_differ_too(
    tmp_path: Path,
) -> None:
    for size in (3, 5):
        make_run(tmp_path / f"{size}", Job("simple", changes={"model.kernel_size": size}))
    make_run(tmp_path / "resnet", Job("resnet"))
    assert setting_keys(gather([tmp_path]).runs, []) == ["model", "model.kernel_size"]
    grouping = _grouping(tmp_path, by="optim.lr")
    (group,) = grouping.groups
    assert (group.n, group.settings) == (3, 3)
    assert not any("repeat" in note for note in grouping.notes)


def test_networks_of_ones_own_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for number, target in enumerate(("my.Net", "their.Net")):
        make_run(tmp_path / str(number), Job(changes={"model._target_": target}))
    assert set(_sizes(_grouping(tmp_path))) == {"Net (my.Net)", "Net (their.Net)"}


@pytest.mark.parametrize(("app", "name"), [("train", "train"), (None, "another app")])
def test_another_apps_runs_are_not_of_the_model_none(
    tmp_path: Path, app: str | None, name: str
) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("lr: 0.1\n")
    if app is not None:
        (tmp_path / ".hydra" / "hydra.yaml").write_text(f"hydra:\n  job:\n    name: {app}\n")
    (tmp_path / "metrics.json").write_text('{"acc": 0.9}')
    assert _sizes(_grouping(tmp_path)) == {name: 1}
