"""What a person sees while a sweep runs."""

import os
import pty
import re
import subprocess
from pathlib import Path

from tests.sweep.sweep_commands import ROOT, TOY, TOY_SPACE, command


def on_a_terminal(line: list[str]) -> str:
    """What a command shows on a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "LINES": "40"}
    process = subprocess.Popen(line, cwd=ROOT, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    process.wait()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a terminal says that nobody writes to it any more
        return b""


def test_a_terminal_shows_one_live_table_above_which_lines_pass(tmp_path: Path) -> None:
    settings = ("hydra.sweeper.n_trials=4", "epochs=4", "epoch_seconds=0.3")
    shown = on_a_terminal(command(TOY, tmp_path / "sweep", *TOY_SPACE, *settings))
    headings = ("done", "pruned", "failed", "running", "of", "best", "left")
    assert re.search(r"\s+".join(headings), shown)
    assert re.search(r"run\s+epoch\s+metric so far\s+parameters", shown)
    assert re.search(r"\n?1\s+3/4\s+val_loss [0-9.e-]+\s+lr=", shown)
    assert all(shown.count(f"trial {number}: val_loss") == 1 for number in range(4))
    assert "best: trial" in shown
