"""model=lenet is another network than it was: old folders keep theirs, or are refused by a line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.config.validation import resolve
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import CHANGED
from cnnsweep.task.changed_options import refuse_changed_options
from tests.task.test_resumed_config import differences, edit, resumed
from tests.test_default_networks import HISTORICAL as HISTORICAL_NETWORK
from tests.test_recorded_folders import copied

OLD_LENET: dict[str, Any] = {
    "_target_": "cnnsweep.models.lenet.LeNet",
    **HISTORICAL_NETWORK,
    "layout": "channels_last",
}
HISTORICAL = ("sigmoid", "avg", "none", "xavier")


def test_an_old_run_of_lenet_is_resumed_as_it_was(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    edit(folder / "config.yaml", model=OLD_LENET)
    choices = {"hydra__runtime__choices__model": "lenet"}
    edit(folder / ".hydra" / "hydra.yaml", hydra__overrides__task=["model=lenet"], **choices)
    with resumed(folder) as config:
        model = config.model
        assert (model.activation, model.pooling, model.norm, model.init) == HISTORICAL
        assert differences(folder, config) == []


def test_an_old_grid_of_lenet_alone_is_resumed_as_it_was(tmp_path: Path) -> None:
    folder = copied("grid", tmp_path)
    typed = ["model=lenet", "seed=0,1,2"]
    choices = {"hydra__runtime__choices__model": "lenet"}
    edit(folder / "multirun.yaml", model=OLD_LENET, hydra__overrides__task=typed, **choices)
    with resumed(folder) as config:
        refuse_changed_options(config, folder)
        model = config.model
        assert (model.activation, model.pooling, model.norm, model.init) == HISTORICAL


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("grid", {"hydra__overrides__task": ["model=simple,lenet", "seed=0,1"]}),
        ("grid", {"hydra__overrides__task": ["model=choice(lenet, resnet)"]}),
        ("search", {"hydra__sweeper__params": {"model": "choice(simple, lenet)"}}),
        ("search", {"hydra__overrides__task": ["search=compare"]}),
    ],
)
def test_an_old_sweep_that_chooses_among_networks_is_refused(
    name: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    folder = copied(name, tmp_path)
    edit(folder / "multirun.yaml", **changes)
    with (
        resumed(folder) as config,
        pytest.raises(UserError, match=r"was begun when model=lenet was the LeNet of 1998"),
    ):
        refuse_changed_options(config, folder)
    edit(folder / "multirun.yaml", loss={"_target_": "torch.nn.CrossEntropyLoss", "weight": None})
    with resumed(folder) as config:
        refuse_changed_options(config, folder)


@pytest.mark.parametrize("name", ["grid", "search"])
def test_other_old_sweeps_and_other_apps_are_not(name: str, tmp_path: Path) -> None:
    folder = copied(name, tmp_path)
    with resumed(folder) as config:
        refuse_changed_options(config, folder)
    text = (folder / "multirun.yaml").read_text()
    content = yaml.safe_load(text.replace("cnnsweep.models.simple.Simple", "their.Net"))
    content["hydra"]["sweeper"]["params"] = {"model": "choice(lenet, vgg)"}
    (folder / "multirun.yaml").write_text(yaml.safe_dump(content))
    with resumed(folder) as config:
        refuse_changed_options(config, folder)


def test_every_changed_option_is_there_and_new_records_have_the_key(tmp_path: Path) -> None:
    with resumed(copied("run", tmp_path)) as config:
        plain = resolve(config)
    for changed in CHANGED:
        group, key = changed.since.split(".")
        assert key in plain[group]
