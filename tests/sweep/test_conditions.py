"""Searches whose trials differ in which parameters they have, by the command line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.forked_commands import Commands, forked_commands
from tests.sweep.sweep_commands import TOY, command, kill_until_done, sweep, table

SHORT = (
    "hydra.sweep.dir=out", "epochs=1", "data.train_limit=100", "pictures=false", "keep=none",
    "hydra/sweeper/pruner=none", "hydra.sweeper.n_jobs=1",
)  # fmt: skip
MOMENTUM = "optim.momentum={space: interval(0, 0.99), when: {optim: sgd}}"
TOYS = (
    "+kind=a,b,c", "lr=tag(log, interval(0.001, 1))", "epochs=4", "epoch_seconds=0.05",
    "+hydra.sweeper.params.momentum={space: 'interval(0, 1)', when: {kind: [a, b]}}",
    "hydra.sweeper.n_jobs=1", "hydra.sweeper.n_trials=6",
)  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_a_trial_sets_what_is_active_and_nothing_else(commands: Commands, tmp_path: Path) -> None:
    words = ["-m", "search=optimizers", "optim=sgd,adam", *SHORT]
    ended = commands.run([*words, "hydra.sweeper.n_trials=3"], tmp_path)
    assert ended.code == 0, ended.err
    assert "optim.momentum (where optim=sgd)" in ended.out
    kinds = set()
    for number in range(3):
        run = tmp_path / "out" / str(number)
        is_sgd = read(run / "config.yaml")["optim"]["_target_"] == "torch.optim.SGD"
        keys = {word.partition("=")[0] for word in read(run / ".hydra/overrides.yaml")}
        assert ("optim.momentum" in keys) == is_sgd
        assert ("momentum" in read(run / "config.yaml")["optim"]) == is_sgd
        kinds.add(is_sgd)
    assert kinds == {True, False}
    results = read(tmp_path / "out/optimization_results.yaml")
    best = results["best_params"]
    assert ("optim.momentum" in best) == (best["optim"] == "sgd")
    page = (tmp_path / "out/report/index.html").read_text()
    assert "A line has a gap where its trial has no such key." in page

    other = MOMENTUM.replace("when: {optim: sgd}", "when: {data.batch_size: 32, optim: [sgd]}")
    later = commands.run(["resume=out", "hydra.sweeper.n_trials=4", other], tmp_path)
    assert later.code == 0, later.err
    assert (
        "conditions changed: optim.momentum: optim=sgd → data.batch_size=32 and optim=sgd"
    ) in later.out
    final = commands.run(["from=out", "hydra.run.dir=final", *SHORT[1:4]], tmp_path)
    assert final.code == 0, final.err


def test_a_finite_space_is_gone_through_by_its_active_combinations(
    commands: Commands, tmp_path: Path
) -> None:
    words = ["hydra/sweeper=optuna", "hydra/sweeper/sampler=grid", "optim=sgd,adam", *SHORT]
    words += ["scheduler={space: none, cosine, when: {optim: adam}}"]
    words += [MOMENTUM.replace("interval(0, 0.99)", "0.8, 0.9")]
    ended = commands.run(["-m", *words], tmp_path)
    assert ended.code == 0, ended.err
    assert "the space has 4 points: each is tried once, then the search ends" in ended.out
    trials = table(tmp_path / "out")
    found = {tuple(sorted(map(str, trial["params"].values()))) for trial in trials}
    assert found == {("0.8", "sgd"), ("0.9", "sgd"), ("adam", "none"), ("adam", "cosine")}


def test_what_is_compared_decides_which_search_has_a_parameter(
    commands: Commands, tmp_path: Path
) -> None:
    words = ["hydra/sweeper=optuna", "hydra.sweeper.compare={optim: [sgd, adam]}", MOMENTUM]
    words += ["optim.lr=0.1,0.01", "hydra.sweeper.n_trials=1", *SHORT]
    ended = commands.run(["-m", *words], tmp_path)
    assert ended.code == 0, ended.err
    assert "optim.momentum is drawn for optim=sgd, and not for optim=adam" in ended.out
    assert "1 trials over optim.momentum, optim.lr; in" in ended.out
    assert "1 trials over optim.lr; in" in ended.out


REFUSED = {
    "optim.momentum={space: interval(0, 1), when: {optim: [sgd, sdg]}}":
        "when: optim: sdg is never drawn; allowed: sgd, adam",
    "optim.momentum={space: interval(0, 1), when: {optim: rmsprop}}":
        "rmsprop can never be; drawn are sgd, adam",
    "optim.momentum={space: interval(0, 1), when: {optim: adam}}":
        "optim.momentum is drawn where optim=adam, and optim=adam has no such key",
    "optim.momentum={space: interval(0, 1), when: {optin: sgd}}": "Did you mean 'optim'?",
    "optim.momentum={space: interval(0, 1), when: {model: resnett}}":
        "model: resnett is no option of it; allowed: densenet",
    "optim.momentum={space: interval(0, 1), when: {optim.lr: 1}}":
        "when: optim.lr depends on optim, which is drawn",
    "optim.momentum={space: interval(0, 1), when: {optim.momentum: 1}}": "in a circle",
    "optim.momentum={space: interval(0, 2), when: {optim: sgd}}": "optim.momentum=2",
    "optim.momentum=interval(0, 0.5)":
        'in hydra.sweeper.params, optim.momentum: {space: "interval(0, 0.5)", when: {optim: sgd}}',
}  # fmt: skip


@pytest.mark.parametrize(("word", "said"), REFUSED.items())
def test_a_condition_that_cannot_be_is_refused_before_anything_is_made(
    word: str, said: str, commands: Commands, tmp_path: Path
) -> None:
    words = ["-m", "hydra/sweeper=optuna", "optim=sgd,adam", word, "hydra.sweep.dir=out"]
    ended = commands.run(words, tmp_path)
    assert ended.code == 1
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_grid_has_no_conditions(commands: Commands, tmp_path: Path) -> None:
    ended = commands.run(["-m", "optim=sgd,adam", MOMENTUM, "hydra.sweep.dir=out"], tmp_path)
    assert ended.code == 1
    assert "optim.momentum is drawn under a condition, which is for searches" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_another_apps_search_that_is_killed_ends_as_if_it_had_not(tmp_path: Path) -> None:
    whole = sweep(TOY, tmp_path / "whole", *TOYS)
    assert whole.code == 0, whole.text
    line = command(TOY, tmp_path / "killed", *TOYS)
    assert kill_until_done(line, tmp_path / "killed", seed=0, most=1, seconds=0.4) > 0
    trials = table(tmp_path / "killed")
    assert trials == table(tmp_path / "whole")
    for trial in trials:
        named = {"+kind", "lr"}
        named |= {"momentum"} if trial["params"]["+kind"] in "ab" else set()
        assert trial["params"].keys() == named
