"""Configs are the same where files are read once, and new ones where a file has changed."""

import os
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.read_once import read_files_once

WORDS = [
    [],
    ["model=densenet", "optim=adam", "scheduler=cosine", "data=mnist"],
    ["experiment=fashion_lenet", "logger=[csv,tensorboard]", "optim.lr=3"],
    ["search=compare", "hydra/sweeper/pruner=halving"],
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_configs_are_equal_with_and_without(words: list[str]) -> None:
    with initialize_config_dir(str(CONF_DIR)):
        wanted = compose("config", words, return_hydra_config=True)
        read_files_once(GlobalHydra.instance().config_loader())
        for _ in range(2):  # as read, and as kept
            found = compose("config", words, return_hydra_config=True)
            assert OmegaConf.to_container(found) == OmegaConf.to_container(wanted)
            assert found._metadata.flags == wanted._metadata.flags
            found.seed = 77  # what is kept must not change with it
            found.model._target_ = "x"


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    with initialize_config_dir(str(tmp_path)):
        read_files_once(GlobalHydra.instance().config_loader())
        for number, text in enumerate(("a: 1", "a: 2", "a: [3, 4]")):
            file.write_text(text)
            os.utime(file, (number, number))
            assert compose("config") == OmegaConf.create(text)
