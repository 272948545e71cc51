"""What a config computes from a typed key follows it, however it was typed and whatever is drawn.

A command that takes a folder's config, with more words, has the config that the folder's own
command has with them.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.validation import resolve
from cnnsweep.dotted_keys import is_below, leaves
from cnnsweep.folders.run_folder import UNCOMPARED
from cnnsweep.task.computed_values import as_run_records
from cnnsweep.task.from_folder import with_recorded
from cnnsweep.task.recorded_command import record_run
from tests.task.test_resumed_config import differences, edit, resumed

SCHEDULERS = ("linear", "cyclic", "one_cycle", "warmup_cosine", "cosine", "polynomial")
SOURCES: dict[str, tuple[Any, ...]] = {
    "epochs": (2, 3, 7),
    "optim.lr": (0.1, 0.02, 0.3),
    "optim.momentum": (0.5, 0.8),
    "data.batch_size": (16, 30),
    "seed": (3, 4),
    "my.rate": (0.2, 0.6),
}
COMPUTED = (
    "+my.plain=${data.batch_size}", "+my.text='lr ${optim.lr} of ${epochs}'",
    "+my.list=['${data.batch_size}',7]", "+my.all=${optim}", "+my.sibling=${.rate}",
    "+my.second=${my.plain}", "optim.weight_decay=${my.rate}", "optim.lr=${my.rate}",
    "early_stopping.patience=${epochs}", "+my.deep={x:{y:'${optim.lr}'}}",
    "+my.test=${data.val_fraction}",
)  # fmt: skip
DRAWN = 8


@contextmanager
def hydra() -> Iterator[None]:
    before = HydraConfig.instance().cfg
    try:
        with initialize_config_dir(str(CONF_DIR)):
            yield
    finally:
        HydraConfig.instance().cfg = before


def composed(*words: str) -> DictConfig:
    config = compose("config", list(words), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    return config


def record(folder: Path, *words: str) -> dict[str, Any]:
    """A run folder as a command leaves it before its first epoch; returns its config."""
    folder.mkdir()
    with hydra():
        config = composed(*words, f"hydra.run.dir={folder}")
        record_run(folder, config, resolve(config))
        return resolve(config)


def of(config: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """All that is compared of a config, by dotted key."""
    plain = leaves(resolve(config) if isinstance(config, DictConfig) else config)
    return {key: value for key, value in plain.items() if not is_below(key, UNCOMPARED)}


def taken(folder: Path, *typed: str) -> dict[str, Any]:
    """The config of ``from=FOLDER`` with what is typed."""
    words = with_recorded([f"from={folder}", *typed])
    with hydra():
        return of(composed(*words))


def as_typed(*words: str) -> dict[str, Any]:
    with hydra():
        return of(composed(*words))


def draw(chance: random.Random) -> tuple[list[str], list[str]]:
    """The words of a run, and those that are typed when its config is taken."""
    sources = {key: values for key, values in SOURCES.items() if chance.random() < 0.6}
    words = [f"+my.rate={SOURCES['my.rate'][0]}", COMPUTED[0]]
    words += [f"{k}={chance.choice(v)}" for k, v in sources.items() if not k.startswith("my.")]
    words += [f"scheduler={chance.choice(SCHEDULERS)}"] * (chance.random() < 0.8)
    words += chance.sample(COMPUTED[1:], chance.randint(1, 5))
    keys = chance.sample(sorted(SOURCES), chance.randint(1, 3))
    if any("rate}" in word for word in words) and chance.random() < 0.6:
        keys = ["my.rate", *keys]
    typed = [f"{key}={chance.choice(SOURCES[key])}" for key in keys]
    return words, typed


@pytest.mark.parametrize("seed", range(DRAWN))
def test_from_a_folder_a_computed_value_follows_what_is_typed(seed: int, tmp_path: Path) -> None:
    words, typed = draw(random.Random(seed))
    record(tmp_path / "a", *words)
    said = f"{words} {typed}"
    assert taken(tmp_path / "a") == as_typed(*words), said
    assert taken(tmp_path / "a", *typed) == as_typed(*words, *typed), said


@pytest.mark.parametrize("seed", range(DRAWN))
def test_resumed_a_computed_value_follows_what_is_typed(seed: int, tmp_path: Path) -> None:
    """So that a run whose schedule depends on its epochs is known as another one."""
    words, typed = draw(random.Random(100 + seed))
    typed = [word for word in typed if not word.startswith("my.")]  # of the record alone
    record(tmp_path / "a", *words)
    wanted = as_typed(*words, *typed)
    with resumed(tmp_path / "a", *typed) as config:
        assert of(config) == wanted, f"{words} {typed}"


@pytest.mark.parametrize(
    ("typed", "dropped"),
    [
        (["optim={lr:0.3,momentum:0.1}"], ()),
        (["optim=adam"], ("optim",)),
        (["optim=adam", "optim.lr=0.05"], ("optim",)),
        (["experiment=mnist_adam"], ("optim",)),
        (["model=lenet"], ()),
    ],
)
def test_also_where_a_whole_group_is_typed(
    typed: list[str], dropped: tuple[str, ...], tmp_path: Path
) -> None:
    words = [
        "scheduler=cyclic",
        "optim.lr=0.1",
        "+my.rate=${optim.lr}",
        "+my.width=${model.hidden}",
    ]
    record(tmp_path / "a", *words)
    left = [word for word in words if not is_below(word.partition("=")[0], dropped)]
    found, wanted = taken(tmp_path / "a", *typed), as_typed(*left, *typed)
    for key in ("optim.lr", "scheduler.max_lr", "my.rate", "my.width", "model.hidden"):
        assert found[key] == wanted[key], key


def test_a_default_that_has_changed_stays_as_it_was_recorded_whatever_is_typed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a"
    record(folder, "scheduler=cyclic", "+my.rate=${optim.momentum}", "optim.lr=0.1")
    edit(folder / "config.yaml", scheduler__max_lr=0.7, optim__momentum=0.4, my__rate=0.4)
    for found in (taken(folder), taken(folder, "optim.lr=0.3")):
        assert [found[k] for k in ("scheduler.max_lr", "optim.momentum", "my.rate")] == [
            0.7, 0.4, 0.4,
        ]  # fmt: skip
    assert taken(folder, "optim.momentum=0.2")["my.rate"] == 0.2
    with resumed(folder, "epochs=9") as config:
        assert differences(folder, config) == ["epochs"]


def test_resumed_from_another_place_what_is_computed_from_it_is_no_other_config(
    tmp_path: Path,
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "x.yaml").write_text(
        "# @package _global_\nmy: {labels: '${data.root}/labels.csv'}\n"
    )
    words = [f"hydra.searchpath=[file://{tmp_path}]", "experiment=x", "data=mnist"]
    record(tmp_path / "a", *words, "data.root=/here")
    with resumed(tmp_path / "a", "data=mnist", "data.root=/there") as config:
        assert differences(tmp_path / "a", config) == []
        assert (config.data.root, config.my.labels) == ("/there", "/here/labels.csv")


@dataclass
class Typed:
    """Of another app: ``double`` is a text, whatever it is computed from."""

    width: int = 3
    double: str = "${.width}"


@pytest.mark.parametrize(
    ("width", "double", "out"),
    [(7, "7", 7), ("wide", "3", 3)],  # by now no text can stand there
)
def test_values_of_another_app_have_the_types_of_their_config(
    width: Any, double: str, out: int
) -> None:
    with hydra():
        config = OmegaConf.create(
            {
                "hydra": composed().hydra,
                "app": OmegaConf.structured(Typed),
                "out": "${app.width}",
            }
        )
        found = as_run_records(config, {"app": {"width": width, "double": "7"}, "out": 7})
    assert found == {"app": {"width": 3, "double": double}, "out": out}
