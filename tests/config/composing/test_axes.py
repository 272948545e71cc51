"""A grid has the jobs of Hydra's basic sweeper, in its order."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.grid_jobs import job_overrides
from cnnsweep.errors import UserError
from tests.command import environment
from tests.config.composing.sweeps import WITHOUT_CALLBACKS, loader, sweep

COMMANDS = [
    [],
    ["seed=1"],
    ["seed=0,1"],
    ["seed=0,1", "model=simple,lenet"],
    ["model=simple,lenet", "seed=0,1,2", "optim.lr=0.1,0.01"],
    ["seed=1,1"],
    ["seed=0,1", "seed=2,3"],
    ["seed=0,1", "model=lenet", "seed=5"],
    ["seed=5", "model=lenet,simple", "seed=0,1"],
    ["seed=range(5)"],
    ["seed=range(2,5)"],
    ["seed=range(0,10,3)"],
    ["seed=range(5,0,-2)"],
    ["optim.lr=range(0.1,0.5,0.1)"],
    ["seed=range(start=1,stop=4)"],
    ["seed=choice(3,1,2)"],
    ["model=choice(simple,lenet)"],
    ["seed=sort(3,1,2)"],
    ["seed=sort(3,1,2,reverse=true)"],
    ["seed=sort(range(5),reverse=true)"],
    ["model=sort(simple,lenet,densenet)"],
    ["seed=shuffle(1,2,3,4,5)"],
    ["seed=shuffle(range(7))"],
    ["seed=shuffle(choice(a,b,c))", "epochs=shuffle(1,2,3)"],
    ["seed=shuffle(1,2,3)", "seed=shuffle(4,5,6)"],
    ["model=glob(*)"],
    ["model=glob(*net)"],
    ["model=glob([s*,l*])"],
    ["model=glob(*,exclude=*net)"],
    ["optim=glob(ada*)", "seed=0,1"],
    ["experiment=glob(mnist*)"],
    ["optim.lr=float(1,2)"],
    ["seed=int(1.0,2.0)"],
    ["init_from=str(1,2)"],
    ["pictures=bool(0,1)"],
    ["seed=tag(a,choice(1,2))"],
    ["model.channels=[8,16],[16,32]"],
    ["model.channels=[8,16]"],
    ["early_stopping={patience:1},{patience:2}"],
    ["early_stopping={patience: 1, min_delta: 0.1}", "seed=0,1"],
    ["objective=[val_accuracy,val_loss],val_loss"],
    ["init_from='a,b',c"],
    ["init_from='a b','c=d'"],
    ['init_from="it\'s",x'],
    ["init_from='it\\'s',x"],
    ["init_from=a\\,b,c"],
    ["init_from=a\\ b"],
    ["init_from='a:b','{x}'"],
    ["init_from=null,x"],
    ["init_from='null',null"],
    ["init_from='',x"],
    ["init_from=${seed},x"],
    ["init_from=${oc.env:HOME},x"],
    ["init_from='${seed}',\\${seed}"],
    ["init_from=/a/b-c.d,e@f"],
    ["init_from=a%b,c+d"],
    ["init_from='ü','日本'"],
    ["optim.lr=1e-3,.5,1.,inf"],
    ["pictures=true,false", "keep=True"],
    ["init_from=a$b"],
    ["experiment=mnist_simple,fashion_lenet"],
    ["experiment=mnist_simple", "optim=sgd,adam"],
    ["data=digits,mnist", "data.root=DIR"],
    ["+optim.foo=1,2"],
    ["++optim.lr=1,2", "seed=0,1"],
    ["+model.foo=3", "seed=0,1"],
    ["~early_stopping.patience=null", "seed=0,1"],
    ["logger=[csv,tensorboard],none"],
    ["+data@other=digits,mnist"],
    ["hydra.job.name=x", "seed=0,1"],
    ["hydra/launcher=basic", "seed=0,1"],
    ["model.channels[0]=8,16"],
    ["seed=0, 1, 2"],
    ["seed=0,1", "++hydra.sweeper.params={optim.lr: '0.1,0.2'}"],
    ["optim.lr=7", "++hydra.sweeper.params={optim.lr: '0.1,0.2', model: 'simple,lenet'}"],
    ["++hydra.sweeper.params={seed: 3}"],
    ["++hydra.sweeper.params={seed: 'range(3)', init_from: null, pictures: true}"],
    ["++hydra.sweeper.params={seed: 'shuffle(range(4))'}", "seed=1,2"],
]


def basic_jobs(words: list[str], params: dict[str, object]) -> list[list[str]]:
    """What Hydra's basic sweeper makes of these, by its own code."""
    lines = [f"{key}={value}" for key, value in params.items()]
    overrides = OverridesParser.create(loader()).parse_overrides([*lines, *words])
    (jobs,) = BasicSweeper.split_arguments(overrides, None)
    return jobs


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_jobs_are_those_of_hydras_basic_sweeper(words: list[str]) -> None:
    with sweep(*words) as config:
        task: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
        params = {str(k): v for k, v in (config.hydra.sweeper.params or {}).items()}
        random.seed(7)
        wanted = basic_jobs(task, params)
        random.seed(7)
        assert job_overrides(config) == wanted
        assert job_overrides(config) == wanted  # what shuffle drew stays


APP = f"""
import hydra
@hydra.main(config_path={str(CONF_DIR)!r}, config_name="config")
def app(config): pass
app()
"""


@pytest.mark.parametrize(
    "words",
    [
        ["model=simple,lenet", "seed=range(2)", "init_from='a,b'"],
        ["optim=glob(adam*)", "model.channels=[8,16]", "init_from=null,x\\ y"],
        ["experiment=mnist_simple,fashion_lenet", "++hydra.sweeper.params={seed: '4,5'}"],
    ],
    ids=" ".join,
)
def test_jobs_are_those_that_hydras_basic_sweeper_ran(words: list[str], tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(APP)
    subprocess.run(
        [
            sys.executable, str(script), "--multirun", *words, "hydra/sweeper=basic",
            "hydra.sweep.dir=out", WITHOUT_CALLBACKS,
        ],
        cwd=tmp_path, env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    files = sorted(
        (tmp_path / "out").glob("*/.hydra/overrides.yaml"), key=lambda f: int(f.parts[-3])
    )
    with sweep(*words) as config:
        assert job_overrides(config) == [yaml.safe_load(file.read_text()) for file in files]


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        (["~model.dropout"], [["~model.dropout"]]),
        (
            ["model.channels=extend_list(1)", "model.channels=extend_list(2)"],
            [["model.channels=extend_list(1)", "model.channels=extend_list(2)"]],
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_hydras_sweeper_changes_stays_as_typed(
    words: list[str], jobs: list[list[str]]
) -> None:
    with sweep(*words) as config:
        assert job_overrides(config) == jobs


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "optim.lr=interval(0,1)",
            "search=sgd, search=tuning_curve have it, hydra/sweeper=optuna goes",
        ),
        ("optim.lr=tag(log,interval(0.1,1))", "a search draws from ranges: search="),
        ("optim.weight_decay=interval(0,1)", "search=adam has it"),
        ("model.dropout=interval(0,1)", "draws from ranges: hydra/sweeper=optuna goes"),
        ("model=glob(nothing*)", "stands for no option"),
    ],
)
def test_what_is_no_list_of_values_is_refused(word: str, said: str) -> None:
    with sweep(word, "seed=0,1") as config, pytest.raises(UserError) as refused:
        job_overrides(config)
    assert said in str(refused.value)
    assert str(refused.value).startswith(word)
