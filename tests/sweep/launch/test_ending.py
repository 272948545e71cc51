"""The command of another Hydra app that sweeps with us ends as ours does."""

import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from cnnsweep.sweep.launch.ending import command_again
from tests.sweep.launch.strangers import X, stranger
from tests.sweep.sweep_commands import command, finish, start, study, sweep

SEARCH = "hydra/sweeper=optuna"


def line_of(text: str) -> str:
    """The one line of errors in what a command printed."""
    lines = [line for line in text.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert text.endswith(f"{lines[0]}\n")
    return lines[0]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((X, "hydra.sweeper.n_trials=0"), ("n_trials=0", "a whole number from 1 up")),
        ((), ("nothing to search over", "KEY=interval(LOW, HIGH)")),
        (("X=interval(0,1)",), ("unknown key 'X'", "Did you mean 'x'?")),
        ((X, "hydra.sweeper.storage=sqlite:////nowhere/a.db"), ("cannot open the sqlite storage",)),
        ((X, "hydra.sweeper.sampler._target_=my.Own"), ("my.Own", "CNNSWEEP_ALLOW='my.*'")),
        ((X, "hydra.sweeper.pruner._target_=my.Own"), ("my.Own", "CNNSWEEP_ALLOW='my.*'")),
        (
            ("hydra.sweeper.custom_search_space=my.own",),
            ("custom_search_space=my.own cannot be loaded", "No module named 'my'"),
        ),
    ],
)
def test_what_is_refused_is_one_line_and_leaves_nothing(
    words: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path
) -> None:
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", SEARCH, *words)
    assert done.code == 1
    for part in parts:
        assert part in line_of(done.text)
    assert not (tmp_path / "sweep").exists()


def test_a_traceback_is_there_for_whoever_wants_it(tmp_path: Path) -> None:
    words = (SEARCH, X, "hydra.sweeper.n_trials=0")
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", *words, HYDRA_FULL_ERROR="1")
    assert done.code == 1
    assert "Traceback" in done.text
    assert "UserError: hydra.sweeper.n_trials=0" in done.text


def test_failures_that_end_a_sweep_say_its_own_command(tmp_path: Path) -> None:
    whose, folder = stranger(tmp_path / "app", breaks_above=-1), tmp_path / "sweep"
    done = finish(start(command((*whose, SEARCH), folder, X, "hydra.sweeper.n_jobs=1")))
    assert done.code == 1
    line = line_of(done.text)
    assert "the app's own error; to go on: python -m tests.sweep.stranger.app" in line.replace(
        Path(sys.executable).name, "python"
    )
    assert f"hydra.sweep.dir={folder}" in line
    done = sweep(
        stranger(tmp_path / "app", breaks_above=-1), tmp_path / "g", "x=0", "hydra/sweeper=grid"
    )
    assert done.code == 1
    assert "with resume=" not in line_of(done.text)


def test_an_error_of_the_apps_own_function_stays_its_own(tmp_path: Path) -> None:
    space = "hydra.sweeper.custom_search_space=tests.sweep.toy.spaces.draw"  # which needs an lr
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", SEARCH, X, space)
    assert done.code == 1
    assert "KeyError: 'lr'" in done.text
    assert "Traceback" in done.text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_it_and_the_line_goes_on(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    hold, folder = tmp_path / "hold", tmp_path / "a sweep"
    hold.touch()
    whose = stranger(tmp_path / "app", hold=str(hold))
    words = (X, "hydra.sweeper.n_trials=1")
    process = start(command((*whose, SEARCH), folder, *words))
    while not list(folder.glob("*/seen.json")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    done = finish(process)
    assert done.code == code, done.text
    last = done.text.splitlines()[-1]
    before, _, line = last.partition("; to resume: ")
    assert (before, "Traceback" in done.text) == ("stopped", False)
    _, *typed = shlex.split(line)
    hold.unlink()
    done = finish(start([sys.executable, *typed]))
    assert done.code == 0, done.text
    assert [trial.state.name for trial in study(folder).trials] == ["COMPLETE"]


FOLDER = "hydra.sweep.dir='f g'"


@pytest.mark.parametrize(
    ("words", "knows_resume", "expected"),
    [
        (["/usr/bin/python3", "a b.py", "-m", "x=1"], False, ["python3", "a b.py", "-m", "x=1"]),
        (["python", "app.py", "resume=a"], False, ["python", "app.py", "resume=a"]),
        (["python", "app.py", "resume=a"], True, ["python", "app.py"]),
        (
            ["python", "-m", "pkg.app", "hydra.sweeper.storage=postgresql://me:pw@host/db"],
            False,
            ["python", "-m", "pkg.app", "hydra.sweeper.storage=postgresql://me:***@host/db"],
        ),
    ],
)
def test_a_command_is_that_which_was_typed_in_the_folder(
    words: list[str], knows_resume: bool, expected: list[str]
) -> None:
    said = command_again(words, Path("f g"), knows_resume=knows_resume)
    assert shlex.split(said) == [*expected, FOLDER]
    again = command_again([*words, FOLDER], Path("f g"), knows_resume=knows_resume)
    assert shlex.split(again) == [*expected, FOLDER]
