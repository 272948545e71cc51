"""A sweep's jobs in SLURM's queue, those of earlier launches included."""

import subprocess
import time
from pathlib import Path

_ASK_SECONDS = 10.0  # between two queries: all users query the same daemon
_ANSWER_SECONDS = 10.0
_STATES = "PENDING,CONFIGURING,RUNNING,SUSPENDED,REQUEUED"


class Queue:
    """A job is the sweep's if its script is in the sweep's folder for submissions."""

    def __init__(self, submissions: Path) -> None:
        self._submissions = submissions
        self._count: int | None = None
        self._asked_at = float("-inf")

    def count(self) -> int | None:
        """How many jobs run, wait, or wait to run again; at most ten seconds old.

        None where squeue fails.
        """
        if time.monotonic() - self._asked_at > _ASK_SECONDS:
            self._asked_at = time.monotonic()
            jobs = self._jobs()
            self._count = None if jobs is None else len(jobs)
        return self._count

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` for the jobs to end; cancel those that are left."""
        deadline = time.monotonic() + seconds
        while (jobs := self._jobs()) and time.monotonic() < deadline:
            time.sleep(0.2)
        if jobs:
            subprocess.run(["scancel", "--quiet", *jobs], capture_output=True, check=False)

    def _jobs(self) -> list[str] | None:
        command = ["squeue", "--me", "--array", "--noheader", "--states", _STATES]
        try:
            asked = subprocess.run(
                [*command, "--format", "%i %o"],
                capture_output=True,
                text=True,
                timeout=_ANSWER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if asked.returncode != 0:
            return None
        pairs = (line.strip().partition(" ") for line in asked.stdout.splitlines())
        ours = self._submissions
        return [job for job, _, script in pairs if Path(script.strip()).is_relative_to(ours)]
