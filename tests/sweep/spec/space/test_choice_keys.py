"""Searches: a typed key is left out of trials whose drawn or compared option lacks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.forked_commands import Commands, forked_commands

SHORT = (
    "hydra.sweep.dir=out", "epochs=1", "data.train_limit=100", "pictures=false", "keep=none",
    "hydra/sweeper/pruner=none", "data.batch_size=10", "hydra.sweeper.params=null",
)  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


def config_of(folder: Path) -> dict[str, dict[str, object]]:
    read: dict[str, dict[str, object]] = yaml.safe_load((folder / "config.yaml").read_text())
    return read


def test_a_drawn_group(commands: Commands, tmp_path: Path) -> None:
    words = ["augment=none,light", "augment.degrees=7", "hydra.sweeper.n_trials=2"]
    words += ["hydra/sweeper=optuna", "hydra.sweeper.custom_search_space=null"]
    ended = commands.run(["-m", *words, *SHORT], tmp_path)
    assert ended.code == 0, ended.err
    assert (
        "augment.degrees=7 is set for augment=light, and left out for augment=none, which has no "
        "such key"
    ) in ended.out
    configs = [config_of(tmp_path / "out" / number) for number in "01"]
    assert sorted(str(config["augment"].get("degrees")) for config in configs) == ["7", "None"]


def test_a_compared_group(commands: Commands, tmp_path: Path) -> None:
    words = ["search=compare", "hydra.sweeper.compare={model: [simple, lenet]}", "seed=3"]
    words += ["model.hidden_bias=true"]
    ended = commands.run(["-m", *words, *SHORT], tmp_path)
    assert ended.code == 1
    assert "unknown key 'model.hidden_bias'" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search=sgd", "data=digits,mnist", "data.rooot=x"], "unknown key 'data.rooot'"),
        (["search=sgd", "optim=sgd,adam"], "optim=adam, which is drawn too, has no such key"),
        (["search=sgd", "augment=none,light", "++augment.degrees=7"], "takes none"),
    ],
)
def test_what_no_trial_or_not_every_trial_takes_is_refused(
    words: list[str], said: str, commands: Commands, tmp_path: Path
) -> None:
    ended = commands.run(["-m", *words, "hydra.sweep.dir=out"], tmp_path)
    assert ended.code == 1
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
