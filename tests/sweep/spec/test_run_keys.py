"""Another app's keys are its own, whatever they are named and hold."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf
from optuna.distributions import CategoricalDistribution

from cnnsweep.config import CONF_DIR
from cnnsweep.config.own_keys import GROUPS, is_ours, own_leaves
from cnnsweep.sweep.spec.run_keys import RunKeys
from tests.sweep.sweep_commands import TOY, TOY_SPACE, Done, study, sweep

OUR_KEYS = sorted({*GROUPS, *(key.split(".")[0] for key in own_leaves()), "search", "experiment"})
VALUES: tuple[Any, ...] = (
    *({"a": 1}, [1, 2], None, "a text", True, 7, -1.5, "auto", [{"b": [None]}], {}),
    *("${nowhere}", "???", "val_accuracy", ["val_loss", "x"]),
)
MEANT: dict[str, list[Any]] = {  # what counts in any app
    "seed": [7],
    "epochs": [7],
    "device": ["auto"],
}


def stranger(shift: int) -> dict[str, Any]:
    """A config with all our keys, and values that they never have with us."""
    plain = [value for value in VALUES if value not in ("${nowhere}", "???")]
    return {key: plain[(i + shift) % len(plain)] for i, key in enumerate(OUR_KEYS)}


@pytest.mark.parametrize("value", VALUES)
def test_only_a_value_that_means_the_same_everywhere_is_read_and_nothing_is_set(value: Any) -> None:
    for key in OUR_KEYS:
        keys = RunKeys(OmegaConf.create({key: value}), is_ours=False)
        found = [value] if value in MEANT.get(key, []) and not isinstance(value, bool) else [None]
        assert [keys.get(key)] == found, key
        assert not keys.may_set(key)
        drawn = keys.drawn(key, CategoricalDistribution([str(value), "b"]))
        assert drawn == ()


@pytest.mark.parametrize(
    ("objective", "direction", "names"),
    [
        ("dice", None, ["dice"]),
        ("dice", "maximize", ["dice"]),
        ("dice", ["maximize", "minimize"], []),
        (["dice", "size"], ["maximize", "minimize"], ["dice", "size"]),
        (["val_loss", "size"], None, ["val_loss", "size"]),
        (["dice", "size"], None, []),
        (["dice", "dice"], ["maximize", "minimize"], []),
        ([1, 2], ["maximize", "minimize"], []),
        ({"name": "dice"}, None, []),
        ("", None, []),
        (None, None, []),
    ],
)
def test_an_objective_is_one_where_as_many_values_are_wanted(
    objective: Any, direction: Any, names: list[str]
) -> None:
    keys = RunKeys(OmegaConf.create({"objective": objective}), is_ours=False)
    assert keys.objectives(direction) == names


def app(folder: Path, shift: int, *, callback: bool) -> tuple[str, ...]:
    hydra: dict[str, Any] = {"searchpath": [f"file://{CONF_DIR}"]}
    config = stranger(shift) | {"x": 0.0}
    if callback:
        hydra["callbacks"] = {"folders": {"_target_": "cnnsweep.hydra_callback.Folders"}}
        config |= {"resume": False}  # with the callback a text is a folder to resume
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"hydra": hydra}))
    return ("tests.sweep.stranger.app", "--config-dir", str(folder))


def check(folder: Path, done: Done, runs: int) -> None:
    """Every run had the config of the file, but for what was drawn."""
    assert done.code == 0, done.text
    assert "failed" not in done.text
    seen = [json.loads(path.read_text()) for path in folder.glob("*/seen.json")]
    assert len(seen) == runs
    typed = yaml.safe_load((folder.parent / "app" / "config.yaml").read_text())
    expected = {key: value for key, value in typed.items() if key not in ("x", "hydra")}
    assert [{key: one[key] for key in one if key != "x"} for one in seen] == [expected] * runs


@pytest.mark.parametrize("shift", [0, 3, 8])
def test_an_app_with_all_our_keys_is_searched_and_resumed(tmp_path: Path, shift: int) -> None:
    whose, folder = app(tmp_path / "app", shift, callback=shift == 3), tmp_path / "sweep"
    words = ("hydra/sweeper=optuna", "x=interval(0,2)")
    check(folder, sweep(whose, folder, *words, "hydra.sweeper.n_trials=2"), 2)
    check(folder, sweep(whose, folder, *words, "hydra.sweeper.n_trials=3"), 3)
    assert [trial.state.name for trial in study(folder).trials] == ["COMPLETE"] * 3
    assert not is_ours(stranger(shift))


@pytest.mark.parametrize("shift", [1, 6])
def test_its_grids_have_any_of_them_as_an_axis(tmp_path: Path, shift: int) -> None:
    whose, folder = app(tmp_path / "app", shift, callback=shift == 6), tmp_path / "sweep"
    check(folder, sweep(whose, folder, "hydra/sweeper=grid", "x=0,1"), 2)
    check(folder, sweep(whose, folder, "hydra/sweeper=grid", "x=0,1,2"), 3)


def test_a_value_of_a_key_that_does_not_count_with_us_is_another_job_of_an_app(
    tmp_path: Path,
) -> None:
    """With us `keep` and `resume` belong to a launch: a job would be taken for another one."""
    config = dict.fromkeys(OUR_KEYS, "one") | {"hydra": {"searchpath": [f"file://{CONF_DIR}"]}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config | {"x": 0.0}))
    whose = ("tests.sweep.stranger.app", "--config-dir", str(tmp_path), "hydra/sweeper=grid")
    words = ("keep=one,two", "summary=a", "resume=c,d")
    assert sweep(whose, tmp_path / "s", *words).code == 0
    done = sweep(whose, tmp_path / "s", "keep=one,two,three", *words[1:])
    assert done.code == 0, done.text
    seen = [json.loads(path.read_text()) for path in (tmp_path / "s").glob("*/seen.json")]
    assert sorted((one["keep"], one["resume"]) for one in seen) == [
        *(("one", "c"), ("one", "d"), ("three", "c"), ("three", "d"), ("two", "c"), ("two", "d"))
    ]


def test_what_is_asked_of_a_seed_is_refused_where_the_app_has_none(tmp_path: Path) -> None:
    whose = app(tmp_path / "app", 0, callback=False)
    words = ("hydra/sweeper=optuna", "x=interval(0,2)", "hydra.sweeper.seeds=2")
    done = sweep(whose, tmp_path / "sweep", *words)
    assert done.code == 1
    assert "need a config key `seed` with a whole number from 0 up" in done.text
    assert not (tmp_path / "sweep").exists()


def test_a_search_of_an_app_that_older_code_began_goes_on_as_it_was_begun(tmp_path: Path) -> None:
    """It set `test`, `pictures` and `threads` wherever an app had keys of these names."""
    words, folder = (*TOY_SPACE, "epochs=1"), tmp_path / "sweep"
    assert sweep(TOY, folder, *words, "hydra.sweeper.n_trials=1").code == 0
    facts = study(folder).user_attrs["facts"]
    del facts["is_ours"], facts["config"]["threads"]
    study(folder).set_user_attr("facts", facts | {"threads": 1})
    done = sweep(TOY, folder, *words, "hydra.sweeper.n_trials=2")
    assert done.code == 0, done.text
    typed = [yaml.safe_load((folder / k / ".hydra/overrides.yaml").read_text()) for k in "01"]
    assert [[word for word in one if word.startswith(("test", "threads"))] for one in typed] == [
        [],
        ["test=false", "threads=1"],
    ]
