"""The networks shared out over several processes, each a graph; with NVIDIA's MPS or without."""

import os
import shutil
import subprocess
import sys
import traceback
from multiprocessing import Pipe, get_context
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from benchmarks.contestants import Case
from benchmarks.peak import synchronise
from benchmarks.stacking_candidates.lone import OneAfterAnother
from benchmarks.stacking_candidates.setting import Setting

_CONTROL = "nvidia-cuda-mps-control"
_PATIENCE = 60.0  # seconds for any answer, the import of torch included


class Unavailable(Exception):
    """This machine cannot do it; the message says why."""


class Processes:
    """At most ``processes`` of them, each of which trains its share one after another."""

    def __init__(self, setting: Setting, *, processes: int, mps: bool) -> None:
        self._device = setting.device
        self._folder = TemporaryDirectory(prefix="mps")
        self._environment = _started_mps(self._folder.name) if mps else {}
        self._children: list[Any] = []
        count = min(processes, setting.stack)
        self._numbers = [list(range(first, setting.stack, count)) for first in range(count)]
        try:
            for numbers in self._numbers:
                self._children.append(self._start(setting, numbers))
            for _, connection in self._children:
                _heard(connection)
        except BaseException:
            self.close()
            raise

    def run(self, steps: int) -> int:
        self._ask(steps)
        return steps

    def losses(self) -> Tensor:
        found = torch.zeros(sum(map(len, self._numbers)), device=self._device)
        for numbers, losses in zip(self._numbers, self._ask(None), strict=True):
            found[numbers] = torch.tensor(losses, device=self._device)
        return found

    def close(self) -> None:
        """End the processes, then MPS."""
        for process, connection in self._children:
            connection.close()
            process.join(10)
            process.kill()
        if self._environment:
            _control("quit", self._environment)
        self._folder.cleanup()

    def _start(self, setting: Setting, numbers: list[int]) -> tuple[Any, Any]:
        ours, theirs = Pipe()
        arguments = (theirs, setting.case, setting.stack, numbers, self._environment)
        process = get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return process, ours

    def _ask(self, question: int | None) -> list[Any]:
        for _, connection in self._children:
            connection.send(question)
        return [_heard(connection) for _, connection in self._children]


def _heard(connection: Any) -> Any:
    if not connection.poll(_PATIENCE):
        raise TimeoutError(f"a process has not answered for {_PATIENCE:.0f} s")
    try:
        return connection.recv()
    except EOFError:
        raise RuntimeError("a process has died; its last words are above") from None


def _serve(
    connection: Any, case: Case, stack: int, numbers: list[int], environment: dict[str, str]
) -> None:
    """Steps are trained, None is answered with the losses; the end of the pipe is the end."""
    os.environ.update(environment)  # before CUDA starts
    torch.set_num_threads(1)
    try:
        setting = Setting(case, stack)
        graph = setting.device.type == "cuda"
        share = OneAfterAnother(setting, graph=graph, numbers=numbers)
        synchronise(case.device)
        connection.send(None)
        while True:
            steps = connection.recv()
            if steps is not None:
                share.run(steps)
                synchronise(case.device)
            connection.send(None if steps is not None else share.losses().tolist())
    except EOFError:
        return
    except Exception:
        traceback.print_exc(file=sys.stderr)
        raise


def _started_mps(folder: str) -> dict[str, str]:
    """The environment of its clients. Raises Unavailable where it cannot be started."""
    if shutil.which(_CONTROL) is None:
        raise Unavailable(f"{_CONTROL} is not on this machine")
    environment = {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
    done = subprocess.run(
        [_CONTROL, "-d"], env=os.environ | environment, capture_output=True, text=True, timeout=20
    )
    if done.returncode != 0:
        raise Unavailable(f"{_CONTROL} -d: {(done.stderr or done.stdout).strip()}")
    return environment


def _control(word: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [_CONTROL], input=f"{word}\n", env=os.environ | environment, text=True, timeout=20
    )
