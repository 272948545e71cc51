"""YAMLs of older releases of Hydra get a line that says what to write instead."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.errors import UserError
from cnnsweep.sweep.launch import former_keys
from cnnsweep.sweep.spec.space.search_space import read_space
from tests.sweep.launch.strangers import stranger, write_option
from tests.sweep.launch.test_ending import line_of
from tests.sweep.sweep_commands import study, sweep

OLD = """# @package _global_
defaults:
  - override /hydra/sweeper: optuna
hydra:
  sweeper:
    n_trials: 2
    search_space:
      size:
        type: categorical
        choices: [32, 64]
      x:
        type: float
        low: 0.5
        high: 2
        log: true
"""


def test_what_the_line_says_takes_the_place_of_a_space(tmp_path: Path) -> None:
    app = tmp_path / "app"
    whose = stranger(app, defaults=["_self_", {"hparams_search": None}], size=8)
    write_option(app, "hparams_search", "old", OLD)
    done = sweep(whose, tmp_path / "sweep", "hparams_search=old")
    assert done.code == 1
    line = line_of(done.text)
    assert line.startswith("error: hydra.sweeper.search_space in hparams_search/old.yaml is a key")
    assert not (tmp_path / "sweep").exists()
    params = line.partition("in its place write ")[2]
    assert params == 'params: {size: "32, 64", x: "tag(log, interval(0.5, 2.0))"}'
    mended = OLD[: OLD.index("    search_space")] + f"    {params}\n"
    write_option(app, "hparams_search", "old", mended)
    done = sweep(whose, tmp_path / "sweep", "hparams_search=old")
    assert done.code == 0, done.text
    assert {*study(tmp_path / "sweep").trials[1].params} == {"size", "x"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("search_space", {"x": "interval(0, 1)"}, 'params: {x: "interval(0, 1)"}'),
        ("search_space", {"x": {"type": "odd"}}, 'params: {x: "interval(LOW, HIGH), or values'),
        ("search_space", "x", "hydra.sweeper.params has taken its place"),
        ("optuna_config", {"n_trials": 3, "seed": 1}, "write n_trials, seed below hydra.sweeper"),
        ("experiment_sequence", "a.B", "leave it out; custom_search_space=FUNCTION"),
    ],
)
def test_each_former_key_has_its_line(
    name: str, value: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former_keys, "file_with", lambda *_: None)
    node = OmegaConf.create({"value": value}).value
    with pytest.raises(UserError, match=re.escape(said)):
        former_keys.refuse_former({"n_jobs": 1, name: node}, OmegaConf.create())
    former_keys.refuse_former({"n_jobs": 1, name: None}, OmegaConf.create())


@pytest.mark.parametrize(
    "entry",
    [
        "{type: float, low: 1, high: 10}",
        "{type: float, low: 1.0e-5, high: 0.1, log: true}",
        "{type: float, low: -5.5, high: 5.5, step: 0.5}",
        "{type: float, low: 0, high: 0.5, step: 0.2}",
        "{type: int, low: 1, high: 10}",
        "{type: int, low: 1, high: 16, log: true}",
        "{type: int, low: 1, high: 10, step: 2}",
        "{type: int, low: 1, high: 11, step: 2}",
        "{type: categorical, choices: [3, 2.5, true, adam, a b, 'null', null, 'x,y']}",
        "{min: 1, max: 4}",
        "{min: 0.1, max: 4, distribution: log_uniform_values}",
        "{values: [a, b]}",
    ],
)
def test_a_mapping_in_params_is_told_in_words_that_mean_the_same(entry: str) -> None:
    with pytest.raises(UserError) as refused:
        read_space({"k": OmegaConf.create(yaml.safe_load(entry))}, [], None)
    words = str(refused.value).partition("is a mapping; write k: ")[2]
    drawn = read_space({"k": words}, [], None).distributions["k"]
    wanted = yaml.safe_load(entry)
    if "choices" in wanted or "values" in wanted:
        assert len(drawn.choices) == len(wanted.get("choices", wanted.get("values")))  # type: ignore[attr-defined]
        return
    low = wanted.get("low", wanted.get("min"))
    high, step = wanted.get("high", wanted.get("max")), wanted.get("step")
    last = high if step is None else low + (high - low + 1e-9) // step * step
    assert (drawn.low, drawn.high) == (low, pytest.approx(last))  # type: ignore[attr-defined]
    assert drawn.log == ("log" in entry)  # type: ignore[attr-defined]
    is_whole = wanted.get("type") == "int" or entry == "{min: 1, max: 4}"
    assert type(drawn).__name__ == ("IntDistribution" if is_whole else "FloatDistribution")
