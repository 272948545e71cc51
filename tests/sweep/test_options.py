"""Every pruner and sampler that can be chosen begins a search as it is composed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import HydraContext

from cnnsweep.cli import run_task
from cnnsweep.config import CONF_DIR
from cnnsweep.config.hydra_internals import no_callbacks
from cnnsweep.errors import UserError
from cnnsweep.sweep.machine.facts import read_machine
from cnnsweep.sweep.preflight import checked
from cnnsweep.sweep.searches import Searches
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.study.pruning import make_pruner
from cnnsweep.sweep.sweeper import CnnSweeper
from tests.command import cnnsweep, complaint_of
from tests.config.composing.sweeps import WITHOUT_CALLBACKS, loader
from tests.config.composing.sweeps import sweep as composed
from tests.sweep.sweep_commands import TOY, TOY_SPACE, study, sweep

GROUP = CONF_DIR / "hydra" / "sweeper"
PRUNERS = sorted(path.stem for path in (GROUP / "pruner").glob("*.yaml"))
REMOVED = "motpe"  # by Optuna 4; Hydra's plugin says so
STORED = {Path(name).stem for name in ConfigStore.instance().list("hydra/sweeper/sampler")}
SAMPLERS = sorted({path.stem for path in (GROUP / "sampler").glob("*.yaml")} | STORED - {REMOVED})
FEW = ("search=sgd", "model=lenet", "epochs=4", "seed=3", "hydra.sweeper.n_trials=3")
MINE = {
    "pruner": "_target_: optuna.pruners.HyperbandPruner\nmax_resource: ${epochs}\n",
    "sampler": "_target_: optuna.samplers.TPESampler\nn_startup_trials: ${epochs}\nseed: ${seed}\n",
}
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@contextmanager
def begun(*words: str, folder: Path) -> Iterator[Searches]:
    """What a launch of these words has checked before it makes a folder."""
    with composed(*words, f"hydra.sweep.dir={folder / 'sweep'}", WITHOUT_CALLBACKS) as config:
        handed = HydraContext(config_loader=loader(), callbacks=no_callbacks())
        sweeper = Plugins.instance().instantiate_sweeper(
            hydra_context=handed, task_function=run_task, config=config
        )
        assert isinstance(sweeper, CnnSweeper)
        context, keys = SweepContext(handed, run_task, config), sweeper.settings
        arguments = list(config.hydra.overrides.task)
        read = lambda: Searches.read(context, keys, arguments)  # noqa: E731
        yield checked(context, read, read_machine())


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner(pruner: str, tmp_path: Path) -> None:
    more = ("hydra.sweeper.pruner.upper=1",) if pruner == "threshold" else ()
    with begun(*FEW, f"hydra/sweeper/pruner={pruner}", *more, folder=tmp_path) as searches:
        made = make_pruner(searches.settings.pruner, 1)
        if pruner == "hyperband":
            assert vars(made)["_max_resource"] == 4


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler(sampler: str, tmp_path: Path) -> None:
    steps = (
        ("optim.lr=0.1,0.2", "optim.momentum=0.5", "data.batch_size=16")
        if sampler == "grid"
        else ()
    )
    with begun(*FEW, f"hydra/sweeper/sampler={sampler}", *steps, folder=tmp_path) as searches:
        (plan,) = searches.plans
    assert plan.n_trials == (2 if steps else 3)


@pytest.mark.parametrize("app", [("cnnsweep", *FEW, "data.train_limit=100"), (*TOY, *TOY_SPACE)])
def test_those_of_ones_own_that_speak_of_the_runs_keys(
    app: tuple[str, ...], tmp_path: Path
) -> None:
    for group, text in MINE.items():
        file = tmp_path / "mine" / "hydra" / "sweeper" / group / "my_own.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    chosen = (f"hydra/sweeper/{group}=my_own" for group in MINE)
    quickly = ("epochs=2", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1")
    words = (*chosen, *quickly, "--config-dir", str(tmp_path / "mine"))
    done = sweep(app, tmp_path / "sweep", *words)
    assert done.code == 0, done.text
    assert {trial.state.name for trial in study(tmp_path / "sweep").trials} <= {
        "COMPLETE",
        "PRUNED",
    }


@pytest.mark.parametrize("word", ["sampler=null", "pruner=null", "pruner=median"])
def test_what_is_no_option_is_refused_with_how_to_choose_one(word: str, tmp_path: Path) -> None:
    line = complaint_of(cnnsweep("-m", *FEW, f"hydra.sweeper.{word}", cwd=tmp_path))
    group = word.partition("=")[0]
    assert f"hydra/sweeper/{group}=…" in line
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "keys"),
    [
        ("pruner=threshold", ("lower=null", "upper=null")),
        ("pruner=percentile", ("percentile=200",)),
        ("pruner=percentile", ("percentile=few",)),
        ("pruner=halving", ("reduction_factor=1",)),
        ("pruner=patient", ("patience=-1",)),
        ("pruner=wilcoxon", ("p_threshold=3",)),
        ("sampler=nsgaii", ("population_size=1",)),
        ("sampler=qmc", ("qmc_type=round",)),
    ],
)
def test_what_an_option_cannot_be_made_of_is_named(
    option: str, keys: tuple[str, ...], tmp_path: Path
) -> None:
    group = option.partition("=")[0]
    typed = (f"hydra.sweeper.{group}.{key}" for key in keys)
    with (
        pytest.raises(UserError) as refused,
        begun(*FEW, f"hydra/sweeper/{option}", *typed, folder=tmp_path),
    ):
        pass
    line = str(refused.value)
    assert line.startswith(f"hydra.sweeper.{group}: ")
    assert all(key in line for key in keys)
    assert not any(tmp_path.iterdir())


def test_a_grid_of_an_interval_names_it(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"optim\.lr, optim\.momentum are intervals"),
        begun(*FEW, "hydra/sweeper/sampler=grid", folder=tmp_path),
    ):
        pass
