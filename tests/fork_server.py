"""Commands in children of one process that has imported what is slow to import.

A child is forked after imports alone: nothing of torch's, Hydra's or ours has run. It gets the
arguments, folder, environment and import path of ``python -m MODULE``, runs that module as
``__main__``, and ends as any Python does (quick_end.py); a sweep's workers are forked likewise. Run
as a file, this is the server; it imports nothing of the tests.
"""

import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
_IMPORTED = (
    "cnnsweep.cli", "cnnsweep.hydra_callback", "cnnsweep.run", "cnnsweep.sweep.controller",
    "cnnsweep.sweep.sweeper", "cnnsweep.task.resumed_config", "cnnsweep.session.plots",
    "cnnsweep.data.digits", "cnnsweep.models.lenet", "cnnsweep.report.build", "scipy.special",
    "jinja2", "hydra.core.plugins", "omegaconf", "forked_workers", "joblib",
    "matplotlib.backends.backend_agg", "PIL.PpmImagePlugin", "cnnsweep.sweep.final_model",
    "cnnsweep.sweep.searches", "cnnsweep.task.load_model", "cnnsweep.report.ending",
)  # fmt: skip
# What is read each time that it is needed, never while something is imported.
_LIVE = (
    "CNNSWEEP_", "GIT_", "HYDRA_FULL_ERROR", "COLUMNS", "PYTEST_", "MLFLOW_", "WANDB_", "PATH",
    "CUDA_VISIBLE_DEVICES",
)  # fmt: skip


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


class ForkServer:
    """Runs commands in forked children, one after the other."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**environment}
        self._files = tempfile.TemporaryDirectory(prefix="commands")
        self._busy = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Whether a child is as a process of its own: no variable counts before it is forked."""
        paths = environment.get("PYTHONPATH", "").split(os.pathsep)
        if {path for path in paths if path} - {str(REPOSITORY)} or self._busy.locked():
            return False
        changed = {k for k, _ in {*environment.items()} ^ {*self._environment.items()}}
        return all(name.startswith((*_LIVE, "PYTHONPATH")) for name in changed)

    def run(
        self,
        module: str,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        before: str = "",
        seconds: float = 240,
        one_stream: bool = False,
    ) -> Ended:
        """Run ``python -m module words`` to its end.

        ``before``: a ``module:function`` of the tests that the child calls first. ``one_stream``:
        standard output and errors in the order in which they were printed, as ``out``.
        """
        out, err = (Path(self._files.name) / name for name in ("out", "err"))
        request = {
            "module": module,
            "words": [*words],
            "cwd": str(cwd),
            "environment": {**environment},
            "before": before,
            "out": str(out),
            "err": str(out if one_stream else err),
            "code": "",
        }
        with self._busy:
            code = self._asked(json.dumps(request), seconds)
            texts = [path.read_text(errors="replace") for path in (out, err) if path.exists()]
            for path in (out, err):
                path.unlink(missing_ok=True)  # what a child left behind may still write there
        return Ended(code, texts[0], "" if one_stream else texts[1])

    def start(
        self,
        module: str,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        *,
        out: Path,
        code: Path,
    ) -> int:
        """Start it, and return its process's number; commands may run meanwhile.

        ``out``, which is opened before this returns, takes what it prints, ``code`` the exit code
        as a number, -N for signal N, once it has ended.
        """
        request = {
            "module": module,
            "words": [*words],
            "cwd": str(cwd),
            "environment": {**environment},
            "before": "",
            "out": str(out),
            "err": str(out),
            "code": str(code),
        }
        with self._busy:
            return self._forked(json.dumps(request))

    def _forked(self, request: str) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(request + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def _asked(self, request: str, seconds: float) -> int:
        assert self._server.stdout is not None
        child = self._forked(request)
        timer = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
        timer.daemon = True
        timer.start()
        try:
            return int(self._server.stdout.readline())
        except BaseException:  # a test's time is over: what runs must not go on
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
            self._server.stdout.readline()
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()  # at which it ends
        self._server.wait()
        self._server.stdout.close()
        self._files.cleanup()


def _serve() -> None:
    """Fork a child for each line that is read; returns in the child, and at the end."""
    end = import_module("quick_end").QuickEnd()
    for name in _IMPORTED:
        import_module(name)
    background = _Background()
    for line in sys.stdin:
        request = json.loads(line)
        outputs = [_opened(request[name]) for name in ("out", "err")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # numpy's idle threads
            child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with end:
                _be(request, outputs)
            return
        for file in outputs:
            os.close(file)
        if request["code"]:
            background.add(child, request["code"])
        print(child, flush=True)
        if not request["code"]:
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)


def _opened(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)


class _Background:
    """Children that nobody waits for: where each leaves its exit code."""

    def __init__(self) -> None:
        self._codes: dict[int, str] = {}
        signal.signal(signal.SIGCHLD, self._reap)

    def add(self, child: int, code: str) -> None:
        self._codes[child] = code
        self._reap()  # it may have ended before it was known

    def _reap(self, *_: object) -> None:
        for child, code in [*self._codes.items()]:
            with contextlib.suppress(ChildProcessError):  # a call amid this one was faster
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    self._codes.pop(child, "")
                    Path(f"{code}.new").write_text(str(os.waitstatus_to_exitcode(status)))
                    Path(f"{code}.new").replace(code)


def _be(request: dict[str, object], outputs: Sequence[int]) -> None:
    """Be the command."""
    cwd, module, before = (str(request[name]) for name in ("cwd", "module", "before"))
    os.chdir(cwd)
    for number, file in enumerate(outputs, start=1):
        os.dup2(file, number)
        os.close(file)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    is_ours_on_path = str(REPOSITORY) in os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [cwd, str(REPOSITORY)] if is_ours_on_path else [cwd]
    words: list[str] = request["words"]  # type: ignore[assignment]
    sys.argv = [module, *words]
    if {"-m", "--multirun"} & {*words} and not import_module("forked_workers").fork_workers():
        return
    if before:
        source, _, function = before.partition(":")
        getattr(import_module(source), function)()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
