import subprocess
import sys
from pathlib import Path

import pytest

from cnnsweep.cli import to_go_on
from cnnsweep.errors import JobsFailed, OverInVain, StoppedEarly, UserError
from cnnsweep.folders import lock
from tests.command import environment

HEAVY = ("torch", "torchvision", "pandas", "optuna", "matplotlib")
SCRIPT = """
import sys
from cnnsweep.cli import main
try:
    main()
finally:
    loaded = [name for name in sys.argv_heavy if name in sys.modules]
    print("LOADED", loaded)
"""


def imported_by(*arguments: str, cwd: Path, **env: str) -> tuple[str, str]:
    code = (
        f"import sys; sys.argv_heavy = {HEAVY!r}; sys.argv = ['cnnsweep', *{arguments!r}]{SCRIPT}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=environment(**env),
        capture_output=True,
        text=True,
        check=True,
    )
    answer, _, loaded = done.stdout.rpartition("LOADED ")
    return answer, loaded.strip()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--help",), "model: densenet, inception, lenet, resnet, simple, torchvision"),
        (("--cfg", "job"), "_target_: torch.optim.SGD"),
        (("--cfg", "job", "hydra/sweeper=optuna"), "_target_: torch.optim.SGD"),
    ],
)
def test_what_only_looks_at_the_config_imports_nothing_heavy(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    answer, loaded = imported_by(*arguments, cwd=tmp_path)
    assert said in answer
    assert loaded == "[]"


@pytest.mark.parametrize("flags", [("--cfg", "all", "--resolve"), ("-chydra",), ("--info", "all")])
def test_showing_the_config_shows_no_password(flags: tuple[str, ...], tmp_path: Path) -> None:
    storage = "hydra.sweeper.storage=postgresql://user:SECRET@host/db"
    done = subprocess.run(
        [sys.executable, "-m", "cnnsweep", *flags, "hydra/sweeper=optuna", storage],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "postgresql://user:***@host/db" in done.stdout
    assert "SECRET" not in done.stdout + done.stderr


def test_tab_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    answer, loaded = imported_by(
        "-sc", "query=bash", cwd=tmp_path, COMP_LINE="cnnsweep model=re", COMP_POINT="17"
    )
    assert "model=resnet" in answer
    assert loaded == "[]"


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "cnnsweep"
    done = subprocess.run([script, "--cfg", "job"], cwd=tmp_path, capture_output=True, check=True)
    assert b"torch.optim.SGD" in done.stdout


@pytest.mark.parametrize("kind", [StoppedEarly, JobsFailed, OverInVain, UserError])
def test_a_sweep_that_failures_stop_names_the_command_that_goes_on(
    kind: type[UserError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["cnnsweep", "--multirun", "search=sgd"])
    assert to_go_on(kind("why")) == ""  # no folder was begun
    monkeypatch.setattr(lock, "first_held", lambda: tmp_path)
    said = f"; to go on: python -m cnnsweep --multirun search=sgd resume={tmp_path}"
    assert to_go_on(kind("why")) == (said if kind is StoppedEarly else "")
