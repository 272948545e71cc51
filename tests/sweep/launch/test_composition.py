"""A command of another app's whose config does not compose is refused in one line."""

from pathlib import Path

import pytest

from tests.sweep.launch.strangers import X, stranger, write_option
from tests.sweep.launch.test_ending import line_of
from tests.sweep.sweep_commands import sweep

OURS = "hydra/sweeper=cnnsweep"
GRID = "hydra/sweeper=cnnsweep_grid"
WRONG_PATH = "pkg://cnnsweep"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((OURS, "nosuch=1"), ("unknown key 'nosuch'", "Allowed: ")),
        ((OURS, X, "hydra.sweeper.nosuch=1"), ("unknown key 'hydra.sweeper.nosuch'",)),
        ((OURS, X, "hydra.sweeper.params.net.width=3"), ("hydra.sweeper.params",)),
        ((OURS, X, "hydra.sweeper.n_trials=abc"), ("hydra.sweeper.n_trials: ", "abc")),
        (
            (OURS, "x={space: choice(4,8), when: {y: 1}}"),
            ("'+hydra.sweeper.params.x={space: choice(4,8), when: {y: 1}}'",),
        ),
    ],
)
def test_of_a_sweep_of_ours_one_line_says_it(
    words: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path
) -> None:
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", *words)
    assert done.code == 1, done.text
    for part in parts:
        assert part in line_of(done.text)
    assert not (tmp_path / "sweep").exists()


def test_a_grid_of_an_app_whose_main_config_has_a_search(tmp_path: Path) -> None:
    sweeper = {"metric": "val_loss", "n_trials": 3}
    app = stranger(tmp_path / "app")
    config = tmp_path / "app" / "config.yaml"
    config.write_text(f"hydra: {{sweeper: {sweeper}}}\nx: 0.0\n")
    done = sweep(app, tmp_path / "sweep", GRID, "x=1,2")
    assert done.code == 1
    line = line_of(done.text)
    assert "in the app's config is for searches, and this is a grid" in line
    assert "conf/search/NAME.yaml" in line


def test_a_grid_with_the_option_that_is_a_search(tmp_path: Path) -> None:
    app = stranger(tmp_path / "app")
    text = "# @package _global_\nhydra: {sweeper: {metric: val_loss, n_trials: 3}}\n"
    write_option(tmp_path / "app", "tuning", "mine", text)
    done = sweep(app, tmp_path / "sweep", GRID, "x=1,2", "+tuning=mine")
    assert done.code == 1
    assert "this is a grid: leave +tuning=mine out" in line_of(done.text)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("sweeper", ["optuna", "basic"])
@pytest.mark.parametrize("key", ["metric", "checkpoint"])
def test_keys_of_ours_where_the_sweeper_is_hydras(sweeper: str, key: str, tmp_path: Path) -> None:
    app = stranger(tmp_path / "app", "file:///nowhere")
    text = f"# @package _global_\nhydra: {{sweeper: {{{key}: val_loss}}}}\n"
    write_option(tmp_path / "app", "tuning", "mine", text)
    words = (f"hydra/sweeper={sweeper}", "x=1,2", "+tuning=mine")
    done = sweep(app, tmp_path / "sweep", *words)
    assert done.code == 1
    assert f"hydra.sweeper.{key} is a key of cnnsweep's searches" in line_of(done.text)
    assert "choose hydra/sweeper=cnnsweep" in line_of(done.text)


def test_a_wrong_search_path_is_named_before_keys_that_only_ours_has(tmp_path: Path) -> None:
    words = ("hydra/sweeper=optuna", X, "hydra.sweeper.metric=val_loss")
    done = sweep(stranger(tmp_path / "app", WRONG_PATH), tmp_path / "sweep", *words)
    assert done.code == 1
    assert f"hydra.searchpath names {WRONG_PATH}, where no cnnsweep is" in line_of(done.text)


def test_errors_of_other_sweepers_stay_hydras(tmp_path: Path) -> None:
    for words in (("nosuch=1",), ("hydra/sweeper=optuna", "hydra.sweeper.nosuch=1")):
        done = sweep(stranger(tmp_path / "app", "file:///nowhere"), tmp_path / "sweep", *words)
        assert done.code == 1
        assert "error: " not in done.text
