"""A key counts where our code, a target or an interpolation reads it; else it is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import execution_whitelist
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.config.validation import checked
from cnnsweep.errors import UserError

GLOBAL = "# @package _global_\n"
NETWORK = """
from torch import nn

class Net(nn.Linear):
    def __init__(self, *, width, depth=1, in_channels, image_size, num_classes):
        super().__init__(width, num_classes)

class Any(nn.Linear):
    def __init__(self, **keys):
        super().__init__(3, 3)

class Box(nn.Linear):
    def __init__(self, *, part, in_channels):
        super().__init__(3, 3)
"""


@pytest.fixture(autouse=True)
def composing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "their_nets.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("CNNSWEEP_ALLOW", "their_nets.*")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    with initialize_config_dir(str(CONF_DIR)), execution_whitelist(allowed_targets()):
        yield
    HydraConfig.instance().cfg = None


def written(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / "mine" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def check(*overrides: str, may_be_recorded: bool = False) -> dict[str, Any]:
    places = ["hydra.searchpath=[file://mine]", "hydra.run.dir=x", "hydra.job.num=0"]
    config = compose("config", [*places, *overrides], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    return checked(config, may_be_recorded=may_be_recorded)


NET = "model._target_=their_nets.Net"
USED = {
    "a plain key": ["epochs=3"],
    "a parameter that our option does not name": ["+optim.maximize=true"],
    "whatever **kwargs takes": ["model._target_=their_nets.Any", "+model.hobby=chess"],
    "a target's own key, beside ours that it lacks": [NET, "+model.width=3", "+model.depth=2"],
    "layout, which no target gets": [NET, "+model.width=3", "model.layout=contiguous"],
    "what an interpolation reads": ["+my.lr=0.2", "optim.lr=${my.lr}"],
    "what an interpolation of a whole section reads": ["+my={lr: 0.2}", "++optim.lr=${my.lr}"],
    "what a resolver reads": ["+my_lr=0.2", "'optim.lr=${oc.select:my_lr,0.1}'".strip("'")],
    "what a folder's name reads": ["+my_tag=a", "hydra.run.dir=out/${my_tag}"],
    "what a key that is read reads": ["+a=0.2", "+b=${a}", "optim.lr=${b}"],
    "a place in a list": ["model.channels[0]=5"],
    "an argument of an argument": ["loss=smooth_l1", "+loss.criterion.reduction=sum"],
    "a plain mapping as an argument": [
        "model._target_=their_nets.Box", "+model.part={a: 1, b: {c: 2}}",
    ],
    "a tracker's own key": ["logger._target_=their_nets.Any", "+logger.x=1"],
    "a key of ours that another target of ours lacks": ["experiment=fashion_lenet", "optim=adam"],
    "what a name refers to in its own section": ["+optim.maximize=${.nesterov}"],
    "special keys of an argument": ["loss=bce", "+loss.criterion._convert_=all"],
}  # fmt: skip


@pytest.mark.parametrize("overrides", USED.values(), ids=USED)
def test_it_is_used(overrides: list[str]) -> None:
    check(*overrides)


REFUSED = {
    "a key of nothing": (["+lr=0.1"], "Did you mean 'optim.lr'"),
    "forced": (["++lr=0.1"], "Did you mean 'optim.lr'"),
    "one letter": (["+epohcs=1"], "Did you mean 'epochs'"),
    "another case": (["+Epochs=1"], "Did you mean 'epochs'"),
    "in a section": (["+early_stopping.patince=1"], "Did you mean 'early_stopping.patience'"),
    "in a group": (["+optim.momentun=0.5"], "Did you mean 'optim.momentum'"),
    "of another group": (["+optim.dropout=0.5"], "Did you mean 'model.dropout'"),
    "in a mapping": (["+my={lr: 1}"], "unknown key 'my.lr'"),
    "of an argument": (["loss=smooth_l1", "+loss.criterion.bet=2"], "'loss.criterion.beta'"),
    "of a group that is nothing": (["+augment.degrees=5"], "augment=light has it"),
    "an interval without a schedule": (["scheduler.interval=batch"], "scheduler._target_ is null"),
    "what a run gives itself": (["+model.num_classes=5"], "itself"),
    "a partial": (["+optim._partial_=false"], "itself"),
    "a key of ours, typed, that it lacks": ([NET, "model.kernel_size=5"], "no kernel_size"),
    "a key that another target lacks": ([NET, "+model.size=5"], "their_nets.Net has no size"),
    "a choice in another place": (["+optim@second=adam"], "'+optim@second=adam'"),
    "read by what nothing reads": (["+a=0.2", "+b=${a}"], "unknown key 'b'"),
    "of a tracker": (["logger=tensorboard", "+logger.tensorboard.dir=p"], "TensorBoard has no dir"),
    "of no tracker": (["+logger.project=p"], "logger._target_ is null"),
    "lacking": (["~seed"], "lacks 'seed'"),
    "a group lacking": (["~optim"], "lacks 'optim'"),
    "what data needs": (["~data.batch_size"], "batch_size"),
}  # fmt: skip


@pytest.mark.parametrize(("overrides", "said"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(overrides: list[str], said: str) -> None:
    with pytest.raises(UserError) as refused:
        check(*overrides)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


FILES_USED = {
    "an experiment": {"experiment/x": f"{GLOBAL}epochs: 2\noptim: {{lr: 0.5}}\n"},
    "an experiment that chooses": {
        "experiment/x": f"{GLOBAL}defaults: [override /optim: adam]\noptim: {{betas: [0.5, 0.9]}}\n"
    },
    "an experiment that chooses a search": {
        "experiment/x": f"{GLOBAL}defaults: [override /search: sgd]\nepochs: 2\n"
    },
    "keys of its own, read": {
        "experiment/x": f"{GLOBAL}my: {{r: 0.5}}\noptim: {{lr: '${{my.r}}'}}\n"
    },
    "a section of its own": {
        "experiment/x": f"{GLOBAL}base: {{lr: 1, momentum: 0.5}}\noptim: {{lr: '${{base.lr}}', "
        "momentum: '${base.momentum}'}\n"
    },
    "another target": {"experiment/x": f"{GLOBAL}model: {{_target_: their_nets.Net, width: 3}}\n"},
}  # fmt: skip


@pytest.mark.parametrize("files", FILES_USED.values(), ids=FILES_USED)
def test_what_a_file_says_is_used(files: dict[str, str], tmp_path: Path) -> None:
    written(tmp_path, files)
    check("experiment=x")


FILES_REFUSED = {
    "no header": ("epochs: 1\n", "must be '# @package _global_'"),
    "another header": ("# @package _globl_\nepochs: 1\n", "mine/experiment/x.yaml"),
    "a key": (f"{GLOBAL}epohcs: 1\n", "mine/experiment/x.yaml: unknown key 'epohcs'"),
    "a key of a group": (f"{GLOBAL}optim: {{momentun: 0.5}}\n", "Did you mean 'optim.momentum'"),
    "of another option": (
        f"{GLOBAL}optim: {{betas: [0.1, 0.2]}}\n",
        "torch.optim.SGD has no betas",
    ),
    "a value": (f"{GLOBAL}epochs: many\n", "epochs=many"),
    "a section that is a value": (f"{GLOBAL}optim: 0.1\n", "optim=0.1 is no section"),
    "a key of ours for another target": (
        f"{GLOBAL}model: {{_target_: their_nets.Net, width: 3, kernel_size: 3}}\n",
        "has no kernel_size",
    ),
}


@pytest.mark.parametrize(("text", "said"), FILES_REFUSED.values(), ids=FILES_REFUSED)
def test_what_a_file_says_in_vain_is_refused(text: str, said: str, tmp_path: Path) -> None:
    written(tmp_path, {"experiment/x": text})
    with pytest.raises(UserError) as refused:
        check("experiment=x")
    assert said in str(refused.value)


def test_a_file_that_is_hidden_by_one_of_ours_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"optim/sgd": "_target_: torch.optim.SGD\nlr: 0.9\n"})
    with pytest.raises(UserError, match=r"mine/optim/sgd\.yaml is not read"):
        check()


def test_an_option_of_ones_own_may_build_on_ours(tmp_path: Path) -> None:
    option = "defaults: [simple]\n_target_: their_nets.Net\nwidth: 3\n"
    written(tmp_path, {"model/mine": option})
    check("model=mine")
    written(tmp_path, {"model/mine": option + "widht: 3\n"})
    with pytest.raises(UserError, match=r"Did you mean 'model\.width'"):
        check("model=mine")


def test_a_key_that_a_folder_recorded_stays() -> None:
    typed = [NET, "+model.width=3", "++model.kernel_size=5"]
    check(*typed, may_be_recorded=True)
    with pytest.raises(UserError, match="kernel_size"):
        check(*typed)
    with pytest.raises(UserError, match="kernel"):
        check(NET, "+model.width=3", "+model.kernel=5", may_be_recorded=True)


def test_a_recorded_config_may_be_the_main_one(tmp_path: Path) -> None:
    config = compose("config", ["optim=adam", NET, "+model.width=3"])
    (tmp_path / "recorded").mkdir()
    OmegaConf.save(config, tmp_path / "recorded" / "config.yaml")
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(tmp_path / "recorded")):
        check("optim.lr=0.1")
        with pytest.raises(UserError, match=r"Did you mean 'optim\.lr'"):
            check("+lr=0.1")
        OmegaConf.save({**config, "epohcs": 1}, tmp_path / "recorded" / "config.yaml")
        with pytest.raises(UserError, match="Did you mean 'epochs'"):
            check()
