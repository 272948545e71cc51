"""An app whose dataclasses live in its main script, as in Hydra's tutorial."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sweep.sweep_commands import Done, end_all, finish, start_in, study

SCRIPT = Path(__file__).parent / "tutorial" / "app.py"
SEARCH = ("hydra/sweeper=cnnsweep", "optimizer.lr=interval(0,1)", "hydra.sweeper.n_trials=3")


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    end_all()


def launch(cwd: Path, *words: str) -> Done:
    """A launch of the script itself: a forked one has it as a module."""
    line = [sys.executable, str(SCRIPT), "-m", "hydra.sweep.dir=s", *words]
    return finish(start_in(cwd, line))


@pytest.mark.parametrize("more", [(), ("hydra.job.chdir=true",), ("hydra/launcher=joblib",)])
def test_workers_know_the_dataclasses_of_the_script(tmp_path: Path, more: tuple[str, ...]) -> None:
    if "hydra/launcher=joblib" in more:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    done = launch(tmp_path, *SEARCH, "hydra.sweeper.n_jobs=1", *more)
    assert done.code == 0, done.text
    trials = study(tmp_path / "s").trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3
    for trial in trials:
        assert trial.value == (trial.params["optimizer.lr"] - 0.3) ** 2 + 4
    wanted = tmp_path / "s" / "1" if "hydra.job.chdir=true" in more else tmp_path
    assert (tmp_path / "s" / "1" / "here.txt").read_text() == str(wanted)


def test_a_grid_chooses_among_its_groups_and_enums(tmp_path: Path) -> None:
    words = ("hydra/sweeper=cnnsweep_grid", "optimizer=sgd,adam", "act=relu,tanh", "width=1,2")
    done = launch(tmp_path, *words)
    assert done.code == 0, done.text
    assert "8 of 8 completed" in done.text


def test_a_value_and_an_error_of_its_own_classes_are_told(tmp_path: Path) -> None:
    search = ("hydra/sweeper=cnnsweep", "returns=number,float,broken,outcome")
    done = launch(tmp_path, *search, "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1")
    ends = {trial.params["returns"]: trial.state.name for trial in study(tmp_path / "s").trials}
    good, bad = "COMPLETE", "FAIL"
    assert ends == {"number": good, "float": good, "broken": bad, "outcome": bad}
    assert "failed: Broken: a mishap; its log" in done.text
    assert "failed: the task returned Outcome(value=4.04), which is no number; its log" in done.text


def test_a_task_that_ends_its_process_fails_by_name_and_no_worker_dies(tmp_path: Path) -> None:
    search = ("hydra/sweeper=cnnsweep", "returns=number,exit,words,zero,cancelled,interrupt")
    more = ("hydra.sweeper.max_failure_rate=1", "hydra.sweeper.n_trials=6")
    done = launch(tmp_path, *search, *more, "hydra.sweeper.n_jobs=1")
    for said in (
        "the task ended with sys.exit(3)",
        "the task ended with sys.exit(config is bad)",
        "the task returned nothing: it must return its objective, or hydra.sweeper.metric=… names "
        "the metric of report_epoch that is",
        "the task raised CancelledError",
        "the task raised KeyboardInterrupt",
    ):
        assert f"failed: {said}; its log: s/" in done.text.replace(f"{tmp_path}/", "")
    assert "SIGKILL" not in done.text
    assert "resumes" not in done.text


@pytest.mark.parametrize("code", ["sys.exit(7)", "raise Lost('no such\\nfile')", "os._exit(4)"])
def test_what_ends_workers_is_told_with_its_error_and_the_log_that_has_it(
    tmp_path: Path, code: str
) -> None:
    """Here a callback does, outside of what is caught of the task."""
    (tmp_path / "ends.py").write_text(
        "import os, sys\nfrom hydra.experimental.callback import Callback\n"
        "class Lost(BaseException): pass\nclass Ends(Callback):\n"
        f"    def on_job_start(self, *_, **__): {code}\n"
    )
    words = ("+hydra.callbacks.ends._target_=ends.Ends", "hydra.sweeper.n_jobs=1", "width=1")
    more = (*words, "hydra/sweeper=cnnsweep_grid", "hydra.sweeper.retries=0")
    line = [sys.executable, str(SCRIPT), "-m", "hydra.sweep.dir=s", *more]
    done = finish(start_in(tmp_path, line, PYTHONPATH=str(tmp_path)))
    ended = {"s": "exit code 7", "r": "exit code 1: ends.Lost: no such", "o": "exit code 4"}
    assert f"failed: its process ended with {ended[code[0]]}; its log: " in done.text, done.text
    (log,) = re.findall(r"its log: (\S+)", done.text)
    assert Path(log).is_file()
