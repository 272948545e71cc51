"""A real Jupyter kernel: lines as they come, the stop button, the same cell again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

manager = pytest.importorskip("jupyter_client.manager", reason="jupyter_client is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # of theirs
CELL = "run(model='lenet', epochs=60, threads=1, data={'train_limit': 200}, folder='mine')"


class Kernel:
    """A kernel in a folder."""

    def __init__(self, cwd: Path) -> None:
        self._manager, self._client = manager.start_new_kernel(cwd=str(cwd))

    def run(self, cell: str, interrupt_at: str | None = None) -> list[tuple[float, str, str]]:
        """What a cell shows: the second, the kind and the text of each message."""
        shown: list[tuple[float, str, str]] = []
        cell_id, began = self._client.execute(cell), time.monotonic()
        while True:
            message: Any = self._client.get_iopub_msg(timeout=120)
            content, kind = message["content"], message["msg_type"]
            if message["parent_header"].get("msg_id") != cell_id:
                continue
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            text = {
                "stream": content.get("text"),
                "error": f"{content.get('ename')}: {content.get('evalue')}",
                "execute_result": content.get("data", {}).get("text/plain"),
            }.get(kind)
            if text is not None:
                shown.append((time.monotonic() - began, content.get("name", kind), str(text)))
            if interrupt_at is not None and interrupt_at in str(text):
                self._manager.interrupt_kernel()
                interrupt_at = None

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    running = Kernel(tmp_path)
    yield running
    running.close()


def test_a_cell_is_stopped_and_run_again(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run("from cnnsweep.api import run")
    shown = kernel.run(CELL, interrupt_at="epoch 3/60")
    assert [text for _, kind, text in shown if kind == "error"] == ["KeyboardInterrupt: "]
    said = "".join(text for _, kind, text in shown if kind == "stderr")
    assert f"in Python: run(resume='{tmp_path / 'mine'}')" in said
    assert "\x1b" not in "".join(text for _, _, text in shown)  # no bars, though FORCE_COLOR is set
    shown = kernel.run(CELL)
    lines = "".join(text for _, kind, text in shown if kind == "stdout").splitlines()
    assert lines[0].startswith("resuming after epoch")
    seconds = [second for second, _, text in shown if "epoch" in text]
    assert len({*seconds}) > 1  # not all at the end
    assert shown[-1][2].startswith(f"Run('{tmp_path / 'mine'}': Result(completed")


def test_a_refusal_is_one_line(kernel: Kernel) -> None:
    kernel.run("from cnnsweep.api import run")
    ((_, _, text),) = kernel.run("run(epoch=3)")
    assert text.startswith("UserError: unknown key 'epoch'. Did you mean 'epochs'?")
