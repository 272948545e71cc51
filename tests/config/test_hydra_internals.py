"""Hydra's private names behave as ours expect; a failure says what breaks with this release."""

import logging
import sys
from pathlib import Path
from typing import Any

import hydra
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.hydra_internals import (
    BASIC_LAUNCHER,
    BASIC_SWEEPER,
    Callbacks,
    ConfigRepository,
    at_job_end,
    at_wrong_composition,
    command_line_parser,
    compose_sweep,
    escaped,
    expected_type,
    grid_of,
    no_callbacks,
    node_of,
    option_names,
    outcome_of,
    repository_of,
    root_of,
    set_repository,
)
from cnnsweep.epoch_reporter import Paused
from tests.contracts import breaks


@breaks("launchers.is_chosen and grid_jobs.is_basic: workers of our own, grids of our own")
def test_hydras_basic_launcher_and_sweeper_have_these_targets() -> None:
    with initialize_config_dir(str(CONF_DIR)):
        hydra = compose("config", ["hydra/sweeper=basic"], return_hydra_config=True).hydra
    assert hydra.launcher._target_ == BASIC_LAUNCHER
    assert hydra.sweeper._target_ == BASIC_SWEEPER


@breaks("grid_jobs.job_overrides: a grid's jobs are checked before the first one runs")
def test_a_grid_is_every_combination_the_last_parameter_changing_first() -> None:
    overrides = OverridesParser.create().parse_overrides(["a=1,2", "b=x", "c=range(0,2)"])
    assert grid_of(overrides) == [
        ["a=1", "b=x", "c=0"],
        ["a=1", "b=x", "c=1"],
        ["a=2", "b=x", "c=0"],
        ["a=2", "b=x", "c=1"],
    ]


@breaks("read_once: every job reads every file anew, or a loader finds nothing at all")
def test_a_loader_looks_for_configs_in_its_repository() -> None:
    class Empty(ConfigRepository):
        def load_config(self, config_path: str) -> None:
            raise Heard(config_path)

    with initialize_config_dir(str(CONF_DIR)):
        loader = GlobalHydra.instance().config_loader()
        assert type(repository_of(loader)) is ConfigRepository
        set_repository(loader, Empty)
        with pytest.raises(Heard):
            compose("config")


class Heard(Exception):
    """Somebody was told, or asked."""


class Callback:
    def on_job_start(self, **_: Any) -> None:
        raise Heard


@breaks("launcher_process: a nanny is a job to Hydra, and no trial to the user's callbacks")
def test_a_job_without_callbacks_runs_whatever_its_config_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = logging.getLogger().handlers[:]
    told = f"+hydra.callbacks.own._target_={__name__}.Callback"
    with initialize_config_dir(str(CONF_DIR)):
        quiet = ["hydra/job_logging=none", "hydra.output_subdir=null"]
        config = compose("config", [told, *quiet], return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), no_callbacks())
        ended = run_job(lambda _: 7, config, "hydra.run.dir", None, context)
    assert (ended.status, outcome_of(ended)) == (JobStatus.COMPLETED, 7)
    assert logging.getLogger().handlers == before


@breaks("other_apps.report: what became of another app's run")
def test_the_end_of_each_job_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Callbacks, "on_job_end", Callbacks.on_job_end)
    monkeypatch.setattr("cnnsweep.config.hydra_internals._at_job_end", [])
    ends: list[Any] = []
    at_job_end(lambda ended: ends.append(outcome_of(ended)))
    with initialize_config_dir(str(CONF_DIR)):
        quiet = ["hydra/job_logging=none", "hydra.output_subdir=null", "hydra/hydra_logging=none"]
        config = compose("config", quiet, return_hydra_config=True)
        context = HydraContext(GlobalHydra.instance().config_loader(), no_callbacks())
        run_job(lambda _: 7, config, "hydra.run.dir", None, context)
        run_job(_fail, config, "hydra.run.dir", None, context)
        with pytest.raises(Paused):
            run_job(_pause, config, "hydra.run.dir", None, context)
    assert [type(end) for end in ends] == [int, ZeroDivisionError, Paused]


def _pause(_: DictConfig) -> None:
    raise Paused


def _fail(_: DictConfig) -> None:
    raise ZeroDivisionError("as raised")


@breaks("worker_main and launcher_process: the error of a trial that failed, and where it arose")
def test_the_outcome_of_a_failed_job_is_its_error_and_nothing_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        _fail(DictConfig({}))
    except ZeroDivisionError as raised:
        error = raised
    ended = JobReturn(status=JobStatus.FAILED)
    ended.return_value = error
    frames = error.__traceback__
    assert outcome_of(ended) is error
    assert error.__traceback__ is frames
    assert capsys.readouterr().err == ""


@breaks("overrides.as_text: values that resume= sets again have keys with any characters")
@pytest.mark.parametrize("key", ["plain", "a:b", "a b", "a,b", "{a}", "a=b", "tag(x)"])
def test_an_escaped_key_is_read_back_as_it_was(key: str) -> None:
    (override,) = OverridesParser.create().parse_overrides([f"x={{{escaped(key)}:1}}"])
    assert override.value() == {key: 1}


@breaks("resumed_config: an interpolation of the recorded config stays one")
def test_a_node_has_its_interpolation_unresolved() -> None:
    config = OmegaConf.create({"a": 1, "b": "${a}"})
    other = OmegaConf.create({"a": 2})
    other["b"] = node_of(config, "b")
    assert (config.b, other.b) == (1, 2)


@breaks("error_messages: the nearest key is sought in the whole config")
def test_a_node_knows_the_config_it_is_part_of() -> None:
    config = OmegaConf.create({"a": {"b": {"c": 1}}})
    assert root_of(config.a.b) is config


@breaks("error_messages: a value of a wrong type is told what is allowed")
def test_a_key_of_a_structured_config_has_a_type() -> None:
    with initialize_config_dir(str(CONF_DIR)):
        hydra = compose("config", return_hydra_config=True).hydra
    assert expected_type(hydra.job, "chdir")[0] is bool
    assert expected_type(hydra.run, "dir") == (str, False)
    assert expected_type(hydra.run, "nothing") == (Any, True)


@breaks("command_words.check_flags: a mistyped option gets one line")
def test_the_command_lines_options_are_known() -> None:
    assert {"--multirun", "-m", "--config-dir", "--help"} <= set(
        option_names(command_line_parser())
    )
    valued = option_names(command_line_parser(), with_value=True)
    assert "--config-dir" in valued
    assert "--multirun" not in valued


@breaks("sweep/launch/composition.py: errors of another app's config are Hydra's several lines")
def test_of_a_sweep_that_does_not_compose_the_error_is_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[list[str]] = []
    at_wrong_composition(lambda _error, _loader, _name, words, _task: heard.append(words))
    monkeypatch.setattr(sys, "argv", ["app", "-m", "nosuch=1"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    (tmp_path / "config.yaml").write_text("x: 1\n")
    with pytest.raises(HydraException):
        hydra.main(config_path=str(tmp_path), config_name="config")(_nothing)()
    GlobalHydra.instance().clear()
    assert [words[0] for words in heard] == ["nosuch=1"]


def _nothing(_config: DictConfig) -> None:
    """A task."""


@breaks("sweep/launch/composition.py: a wrong search path is not seen where keys are unknown")
def test_a_loader_keeps_the_places_of_the_search_path(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "config.yaml").write_text(f"hydra: {{searchpath: ['file://{tmp_path}/more']}}\n")
    with initialize_config_dir(str(tmp_path)):
        loader = GlobalHydra.instance().config_loader()
        compose_sweep(loader, "config", [])
        assert f"{tmp_path}/more" in [source.path for source in loader.get_sources()]
