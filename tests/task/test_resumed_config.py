"""resume= takes what was recorded, whatever the defaults are by now, but for what is typed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.grid_jobs import check_jobs
from cnnsweep.config.validation import resolve
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import DEFAULTS, OldDefault
from cnnsweep.folders.run_folder import RunFolder, differing_keys
from cnnsweep.task.resume import of_the_folder
from cnnsweep.task.resumed_config import take_recorded
from tests.test_recorded_folders import RECORDED, copied

STORAGE = "postgresql://user:***@host/name"


@contextmanager
def resumed(folder: Path, *typed: str) -> Iterator[DictConfig]:
    """The config of this command in the folder, as Hydra and our callback compose it."""
    is_sweep = (folder / "multirun.yaml").exists()
    mode = RunMode.MULTIRUN if is_sweep else RunMode.RUN
    overrides = [*typed, f"resume={folder}", f"hydra.mode={mode.name}"]
    before = HydraConfig.instance().cfg
    try:
        with initialize_config_dir(str(CONF_DIR)):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            config = hydra.compose_config("config", overrides, run_mode=mode)
            HydraConfig.instance().set_config(config)
            take_recorded(config, folder, "hydra.sweep.dir" if is_sweep else "hydra.run.dir")
            yield config
    finally:
        HydraConfig.instance().cfg = before


def edit(path: Path, **values: Any) -> None:
    """Change a recorded file: by then a default was another one. ``__`` stands for a dot."""
    content = yaml.safe_load(path.read_text())
    for key, value in values.items():
        *above, last = key.split("__")
        node = content
        for part in above:
            node = node[part]
        if value is None:
            del node[last]
        else:
            node[last] = value
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def differences(folder: Path, config: DictConfig) -> list[str]:
    return differing_keys(RunFolder(folder).read_config() or {}, resolve(config))


def test_a_run_is_as_recorded_also_where_a_default_has_changed(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    edit(folder / "config.yaml", optim__momentum=0.5, early_stopping__patience=3)
    with resumed(folder) as config:
        assert differences(folder, config) == []
        assert (config.model.hidden, config.optim.momentum) == (16, 0.5)
        assert config.hydra.run.dir == str(folder)
        assert "++optim.momentum=0.5" in config.hydra.overrides.task
        assert config.resume is None


def test_another_default_option_of_a_group_is_as_recorded(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    adam = yaml.safe_load((CONF_DIR / "optim" / "adam.yaml").read_text())
    edit(folder / "config.yaml", optim=adam | {"lr": 0.1})
    edit(folder / ".hydra" / "hydra.yaml", hydra__runtime__choices__optim="adam")
    with resumed(folder) as config:
        assert differences(folder, config) == []
        assert config.hydra.runtime.choices.optim == "adam"


def test_what_is_typed_counts_and_the_rest_is_as_recorded(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    edit(folder / "config.yaml", optim__momentum=0.5)
    with resumed(folder, "epochs=9", "optim.momentum=0.9", "logger=csv", "model=simple") as config:
        assert differences(folder, config) == ["epochs", "optim.momentum"]
        assert (config.model.hidden, config.optim.lr) == (16, 0.1)
        assert config.hydra.runtime.choices.logger == "csv"


def test_another_option_than_the_recorded_one_is_refused_by_name(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    with (
        pytest.raises(UserError, match=r"model \(was simple, is lenet\), optim \(was sgd, is adam"),
        resumed(folder, "model=lenet", "optim=adam"),
    ):
        pass


@pytest.mark.parametrize("has_line", [True, False])
def test_a_key_that_the_record_lacks_is_what_older_code_did_or_refused(
    has_line: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied("run", tmp_path)
    edit(folder / "config.yaml", l1=None)
    if has_line:
        monkeypatch.setitem(DEFAULTS, "l1", OldDefault(0.25, since="test"))
    with resumed(folder) as config:
        assert config.l1 == (0.25 if has_line else 0.0)
        assert differences(folder, config) == ([] if has_line else ["l1"])


@pytest.mark.parametrize("end", [0, 100, 2500, 3900])
def test_a_start_that_was_killed_as_hydra_wrote_its_files_loses_nothing(
    end: int, tmp_path: Path
) -> None:
    folder = copied("run", tmp_path)
    settings = folder / ".hydra" / "hydra.yaml"
    settings.write_text(settings.read_text()[:end])
    with resumed(folder) as config:
        assert differences(folder, config) == []


def test_without_hydras_files_the_config_is_enough(tmp_path: Path) -> None:
    folder = copied("run", tmp_path)
    shutil.rmtree(folder / ".hydra")
    with resumed(folder) as config:
        assert differences(folder, config) == []


def test_a_folder_in_which_nothing_has_begun_gives_nothing(tmp_path: Path) -> None:
    with resumed(tmp_path, "epochs=3") as config:
        assert (config.epochs, config.hydra.run.dir) == (3, str(tmp_path))


def test_a_grids_jobs_are_as_recorded_and_in_its_folder(tmp_path: Path) -> None:
    folder = copied("grid", tmp_path)
    edit(folder / "multirun.yaml", optim__momentum=0.5, seed=7)
    for number in "012":
        edit(folder / number / "config.yaml", optim__momentum=0.5)
    with resumed(folder) as config:
        jobs = check_jobs(config)
        resolved = [jobs.resolved(number, number) for number in range(3)]
    assert [job["seed"] for job in resolved] == [0, 1, 2]
    for place, job in enumerate(resolved):
        recorded = RunFolder(folder / str(place)).read_config()
        assert recorded is not None
        assert differing_keys(recorded, job) == []


def test_a_search_has_its_recorded_space_pruner_and_sweeper(tmp_path: Path) -> None:
    folder = copied("search", tmp_path)
    pruner = yaml.safe_load((CONF_DIR / "hydra/sweeper/pruner/percentile.yaml").read_text())
    space = {"optim.lr": "tag(log, interval(1e-3, 1))", "model.activation": "choice(relu, 'a, b')"}
    edit(
        folder / "multirun.yaml",
        hydra__sweeper__params=space,
        hydra__sweeper__pruner=pruner | {"percentile": 33.0},
        hydra__sweeper__retries=4,
        hydra__sweeper__sampler__n_startup_trials=7,
        optim__lr=0.5,
        test=False,
    )
    edit(
        folder / "multirun.yaml", **{"hydra__runtime__choices__hydra/sweeper/pruner": "percentile"}
    )
    with resumed(folder) as config:
        sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
        typed = "\n".join(config.hydra.overrides.task)
        loader = GlobalHydra.instance().config_loader()
        job = loader.load_sweep_config(config, ["model.channels=[4,8]", "search=sgd"])
    assert sweeper["_target_"] == "cnnsweep.sweep.sweeper.CnnSweeper"
    assert sweeper["params"] == space
    assert sweeper["pruner"] == pruner | {"percentile": 33.0}
    assert (sweeper["n_trials"], sweeper["retries"]) == (3, 4)
    assert sweeper["sampler"]["n_startup_trials"] == 7
    assert "optim.lr" not in typed  # it is drawn
    assert "test" not in typed  # trials never read the test split, whatever the default
    assert job.hydra.sweep.dir == str(folder)


def test_a_resumed_search_takes_more_trials_or_another_sampler(tmp_path: Path) -> None:
    folder = copied("search", tmp_path)
    more = ("search=sgd", "hydra.sweeper.n_trials=9", "hydra/sweeper/sampler=random")
    with resumed(folder, *more) as config:
        assert config.hydra.sweeper.n_trials == 9
        assert config.hydra.sweeper.sampler._target_ == "optuna.samplers.RandomSampler"
        assert (config.hydra.sweeper.n_jobs, config.epochs) == (1, 6)


@pytest.mark.parametrize(
    ("then", "now", "n_jobs"),
    [("1", (), 1), ("1", ("hydra.sweeper.n_jobs=auto",), "auto"), (None, (), "auto")],
)
def test_workers_are_those_that_were_typed_not_the_default_of_older_code(
    then: str | None, now: tuple[str, ...], n_jobs: int | str, tmp_path: Path
) -> None:
    folder = copied("search", tmp_path)
    if then is None:
        path = folder / "multirun.yaml"
        text = path.read_text().replace("    - hydra.sweeper.n_jobs=1\n", "")
        path.write_text(text.replace("n_jobs: 1", "n_jobs: 2"))
    with resumed(folder, *now) as config:
        assert config.hydra.sweeper.n_jobs == n_jobs


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("resume=grid", "--multirun hydra/sweeper=grid resume=grid"),
        ("-m resume='search'", "-m hydra/sweeper=optuna resume='search'"),
        ("resume=search search=sgd", "--multirun resume=search search=sgd"),
        ("resume=run epochs=9", "resume=run epochs=9"),
        ("resume=grid --cfg job", "resume=grid --cfg job"),
        ("resume=grid --info", "resume=grid --info"),
        ("resume=grid --run", "resume=grid --run"),
        ("resume=grid --config-dir x", "--config-dir x --multirun hydra/sweeper=grid resume=grid"),
        ("-cd=x resume=grid a=1", "-cd=x --multirun hydra/sweeper=grid resume=grid a=1"),
        ("resume=grid --config-name n -m", "--config-name n -m hydra/sweeper=grid resume=grid"),
        ("-m -cp x resume=search", "-m -cp x hydra/sweeper=optuna resume=search"),
        ("-cp /x/.hydra resume=run a=1", "-cp /x/.hydra hydra.run.dir=run a=1"),
        ("model=lenet -m seed=0,1", "model=lenet -m seed=0,1"),
    ],
)
def test_a_command_line_that_names_a_sweeps_folder_is_a_sweeps(
    typed: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(RECORDED)
    assert of_the_folder(typed.split()) == line.split()


def test_a_password_that_was_not_recorded_has_to_be_typed_again(tmp_path: Path) -> None:
    folder = copied("search", tmp_path)
    edit(folder / "multirun.yaml", hydra__sweeper__storage=STORAGE)
    with (
        pytest.raises(UserError, match=r"without its password: type it again, hydra\.sweeper\.sto"),
        resumed(folder),
    ):
        pass
    typed = ("search=sgd", f"hydra.sweeper.storage='{STORAGE.replace('***', 'secret')}'")
    with resumed(folder, *typed) as config:
        assert "secret" in config.hydra.sweeper.storage


def test_a_damaged_record_of_a_sweep_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = copied("grid", tmp_path)
    path = folder / "multirun.yaml"
    path.write_text(path.read_text()[:2000])
    with pytest.raises(UserError, match=r"damaged: type the whole command"), resumed(folder):
        pass
