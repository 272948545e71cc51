"""What SLURM's queue knows of a sweep's jobs, those of earlier launches among them."""

import subprocess
import time
from pathlib import Path

_ASK_SECONDS = 10.0  # between two questions: all users ask the same daemon
_ANSWER_SECONDS = 10.0
_STATES = "PENDING,CONFIGURING,RUNNING,SUSPENDED,REQUEUED"


class Queue:
    """Jobs are a sweep's own if their script lies in its folder for submissions."""

    def __init__(self, submissions: Path) -> None:
        self._submissions = submissions
        self._count: int | None = None
        self._asked_at = float("-inf")

    def count(self) -> int | None:
        """How many jobs run, wait, or wait to run again; at most ten seconds old.

        None where SLURM does not say.
        """
        if time.monotonic() - self._asked_at > _ASK_SECONDS:
            self._asked_at = time.monotonic()
            jobs = self._jobs()
            self._count = None if jobs is None else len(jobs)
        return self._count

    def end(self, seconds: float) -> None:
        """Wait for the jobs' end; cancel those that are left."""
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
        pairs = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
        return [job for job, *script in pairs if self._has(" ".join(script).strip())]

    def _has(self, script: str) -> bool:
        return Path(script).is_relative_to(self._submissions)
