"""A command of ours in a process of its own, shown where Python shows its output."""

import codecs
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from cnnsweep.api.child import Report
from cnnsweep.errors import UserError

_LOOKS_SECONDS = 0.1
_PATIENCE = 3  # Ctrl-C's after which nothing is waited for
_ERROR = "error: "
_BOOT = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); "  # until main can say a line
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "purpose, parent, file = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]); "
    "del sys.argv[1:5]; from cnnsweep.api.child import main; main(purpose, parent, file)"
)
# A notebook sets these for what draws into it, which a process beside it does not.
_OF_NOTEBOOKS = ("FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Ended(NamedTuple):
    """A command that has ended: its exit code, negative for a signal, and what it reported."""

    code: int
    report: Report


def run_command(purpose: str, words: Sequence[str]) -> Ended:
    """Run ``python -m cnnsweep words`` to its end in the current folder, and show its output.

    It imports from the same folders as this process, and from the current one. Where standard
    output is a terminal it draws there; else its lines go to ``sys.stdout`` and ``sys.stderr``.

    Raises:
        UserError: this Python cannot start another.
        KeyboardInterrupt: it was interrupted, and has stopped as the command does.
    """
    if not sys.executable:
        raise UserError("this Python does not know its own program (sys.executable is empty)")
    with ExitStack() as stack:
        out, err, file = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        is_terminal = _is_terminal(sys.stdout)
        with uninterrupted():
            child = subprocess.Popen(
                [
                    *(sys.executable, "-u", "-P", "-c", _BOOT, json.dumps(_import_path())),
                    *(purpose, str(os.getpid()), str(file.fileno()), *words),
                ],
                stdin=subprocess.DEVNULL,
                stdout=None if is_terminal else out,
                stderr=err,
                pass_fds=(file.fileno(),),
                env=_environment(is_terminal),
                start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
            )
            stack.enter_context(_stopped(child))
        is_interrupted = _wait(child, (_Shown(out, sys.stdout), _Shown(err, sys.stderr)))
        if is_interrupted:
            _say_how_to_resume(purpose, _read(file).folder)
            raise KeyboardInterrupt
        return Ended(child.returncode, _read(file))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C counts after the block: a module whose import it ends can't be imported any more."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(signal.SIGINT, None)


def _is_terminal(stream: IO[str] | None) -> bool:
    """Whether a child's output is seen there as it is: nobody has put anything in its way."""
    return stream is not None and stream.isatty() and stream is sys.__stdout__


def _import_path() -> list[str]:
    """The folders of ``sys.path``, the current one among them."""
    here = str(Path.cwd())
    return list(dict.fromkeys([*(str(entry) or here for entry in sys.path), here]))


def _environment(is_terminal: bool) -> dict[str, str]:
    kept = dict(os.environ)
    if kept.get("MPLBACKEND", "").startswith("module://"):
        del kept["MPLBACKEND"]
    if not is_terminal:
        kept = {name: value for name, value in kept.items() if name not in _OF_NOTEBOOKS}
        kept["PYTHONIOENCODING"] = "utf-8"  # as `_Shown` reads it, whatever the locale
    return kept


class _Shown:
    """What a file holds of a process's output, shown as it comes, whole lines at a time."""

    def __init__(self, file: IO[bytes], stream: IO[str] | None) -> None:
        self._file, self._stream, self._place, self._line = file.fileno(), stream, 0, ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, *, all_of_it: bool = False) -> None:
        """Show what is new; the line of an error is left out, since it becomes an exception."""
        while content := os.pread(self._file, 1 << 16, self._place):
            self._place += len(content)
            self._line += self._decoder.decode(content)
        whole, end, rest = self._line.rpartition("\n")
        if all_of_it:
            whole, end, rest = self._line, "", ""
        self._line = rest
        lines = (whole + end).splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith(_ERROR))
        if text and self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def _wait(child: "subprocess.Popen[bytes]", shown: Sequence[_Shown]) -> bool:
    """Wait for the end; whether it was interrupted, which the child is told and stops."""
    interrupts = 0
    while True:
        try:
            is_over = _is_over(child)
            for one in shown:
                one.show(all_of_it=is_over)
            if is_over:
                return interrupts > 0
        except KeyboardInterrupt:
            interrupts += 1
            child.send_signal(signal.SIGKILL if interrupts >= _PATIENCE else signal.SIGINT)


def _say_how_to_resume(purpose: str, folder: Path | None) -> None:
    if folder is not None:
        print(f"in Python: {purpose}(resume={str(folder)!r})", file=sys.stderr)


def _is_over(child: "subprocess.Popen[bytes]") -> bool:
    try:
        child.wait(_LOOKS_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def _stopped(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Whatever ends the block, no child goes on after it: it is stopped as by SIGTERM."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _read(file: IO[bytes]) -> Report:
    """What the child has written; nothing where it was killed as it began."""
    file.seek(0)
    try:
        report = pickle.loads(file.read())
    except (EOFError, pickle.UnpicklingError):
        return Report()
    assert isinstance(report, Report)
    return report
