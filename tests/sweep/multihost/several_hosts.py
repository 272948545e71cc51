"""Several launches on one sweep, each a host of its own: started, killed, stopped, read back."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
import psutil
from optuna.trial import TrialState

from tests.sweep.multihost.postgresql import PASSWORD
from tests.sweep.sweep_commands import ROOT, TOY, TOY_SPACE, Done, command

STATUS = {"COMPLETE": "completed", "PRUNED": "pruned", "FAIL": "failed"}
_started: list["Launch"] = []
TRAINING = (*TOY_SPACE, "epochs=6", "epoch_seconds=0.1", "hydra.sweeper.shared=true")


@dataclass
class Launch:
    """One host's launch; what it prints is in ``log``."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def text(self) -> str:
        return self.log.read_text()

    def end(self, seconds: float = 400) -> Done:
        return Done(self.process.wait(timeout=seconds), self.text())

    def signal_all(self, number: signal.Signals) -> None:
        """Send all its processes a signal, as when the whole machine goes (or comes back)."""
        parent = psutil.Process(self.process.pid)
        for process in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # workers go with their parent
                process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


def launch(
    folder: Path, number: int, *settings: str, prefix: tuple[str, ...] = (), **environment: str
) -> Launch:
    """The same command as every other host types, maybe inside something (``prefix``)."""
    line = [*prefix, *command(TOY, folder, *TRAINING, *settings)]
    log = folder.parent / f"host{number}.txt"
    with log.open("ab") as output:
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    _started.append(Launch(process, log))
    return _started[-1]


def end_all() -> None:
    """End what a failed test left running."""
    while _started:
        one = _started.pop()
        if one.process.poll() is None:
            one.signal_all(signal.SIGKILL)


def until(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.05)


def results(end: Done) -> list[str]:
    """The lines that every launch ends with."""
    said = [line for line in end.text.splitlines() if line.startswith(("best:", "validation best"))]
    assert said, end.text
    return said


def over(folder: Path) -> int:
    """How many runs have an outcome."""
    return len(list(folder.glob("*/result.json")))


def assert_whole(folder: Path, study: optuna.Study, n_trials: int) -> None:
    """Every trial once, finished, by somebody, and its folder says what the study says."""
    trials = study.get_trials(deepcopy=False)
    assert [trial.number for trial in trials] == list(range(n_trials))
    runs = {int(run.name) for run in folder.iterdir() if run.name.isdigit()}
    assert runs == set(range(n_trials))
    for trial in trials:
        assert trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        result = json.loads((folder / str(trial.number) / "result.json").read_text())
        assert result["status"] == STATUS[trial.state.name]
        if trial.state is TrialState.COMPLETE:
            assert result["objective"] == trial.value
        epochs = Counter(trained(folder / str(trial.number)))
        assert max(epochs.values()) == 1, f"trial {trial.number} trained epochs twice: {epochs}"
    assert len({tuple(trial.params.values()) for trial in trials}) == n_trials


def trained(run: Path) -> list[int]:
    """The epochs of a run in the order in which they were trained, by whomever."""
    return [int(line.split()[0]) for line in (run / "epochs.txt").read_text().splitlines()]


def hosts_of(study: optuna.Study) -> Counter[str]:
    """How many trials each host brought to their end."""
    return Counter(trial.user_attrs["host"] for trial in study.trials)


def assert_secret(folder: Path, launches: list[Launch]) -> None:
    """Neither a file of the sweep, hidden or not, nor a line that was printed has the password."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "hydra.yaml" for path in files)
    for path in [*files, *(one.log for one in launches)]:
        assert PASSWORD.encode() not in path.read_bytes(), path
