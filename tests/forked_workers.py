"""Worker processes of a command in a forked child: forked too, from where nothing has run yet.

They are children of the command's process as ever: it is made the reaper of orphans, and the fork
between ends at once. For Linux. Like the server of commands, which takes this from its own folder,
it imports nothing of the tests.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import IO

from cnnsweep.sweep.workers import child_process

_PR_SET_CHILD_SUBREAPER = 36
_MOST = 1 << 20  # bytes of a request


class ForkedWorker:
    """What of ``subprocess.Popen`` is needed of a worker; it is a child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, -N for signal N; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, after at most ``timeout`` seconds."""
        ends = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() >= ends:
                raise subprocess.TimeoutExpired("a worker", timeout or 0.0)
            time.sleep(0.005)
        return code

    def terminate(self) -> None:
        """Send SIGTERM, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def fork_workers() -> bool:
    """From now on this process's workers are forked from what it is now.

    True in this process; False in each worker, once its ``main`` has ended.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = os.getpid()
    if os.fork() == 0:
        ours.close()
        _serve(theirs, command)
        return False
    theirs.close()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(
        module: str,
        fds: tuple[int, ...],
        output: IO[bytes],
        environment: Mapping[str, str] | None = None,
    ) -> ForkedWorker:
        variables = {**(os.environ if environment is None else environment)}
        request = json.dumps([module, sys.path, variables]).encode()
        socket.send_fds(ours, [request], [*fds, output.fileno()])
        return ForkedWorker(int(ours.recv(_MOST)))

    setattr(child_process, "start_python", start)  # noqa: B010
    return True


def _serve(requests: socket.socket, command: int) -> None:
    """Fork a worker for each request; returns in the workers. Ends with the command."""
    while True:
        request, fds, _, _ = socket.recv_fds(requests, _MOST, 253)  # as many as Linux passes
        if not request:
            os._exit(0)
        between = os.fork()
        if between == 0:
            if os.fork() != 0:
                os._exit(0)
            while os.getppid() != command:  # until the fork between has ended
                time.sleep(0.001)
            requests.send(str(os.getpid()).encode())
            requests.close()
            _be(json.loads(request), fds)
            return
        os.waitpid(between, 0)
        for fd in fds:
            os.close(fd)


def _be(request: list[object], fds: list[int]) -> None:
    """Be the worker."""
    module, path, variables = request
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (1, 2):
        os.dup2(fds[-1], number)
    os.close(fds[-1])
    os.environ.clear()
    os.environ.update(variables)  # type: ignore[call-overload]
    sys.path[:] = path  # type: ignore[call-overload]
    sys.argv = ["-c"]
    import_module(str(module)).main(*fds[:-1])
