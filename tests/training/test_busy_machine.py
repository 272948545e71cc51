"""How threads wait for each other: real teams of libgomp, real programs beside a real run."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cnnsweep.training.busy_machine import Judgement
from tests.command import REPOSITORY, start

# Torch brings GNU's OpenMP on Linux alone, and Linux alone counts how long a thread waits.
linux_only = pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="needs Linux's count of waiting"
)

TEAMS = """
import hashlib, time, torch
from pathlib import Path
from cnnsweep.training.busy_machine import libgomps_sleepers
from torch import nn
torch.set_num_threads(2)
team = libgomps_sleepers(2)

def gradients():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Conv2d(16, 8, 3))
    for _ in range(3):
        network(torch.randn(16, 8, 24, 24)).square().mean().backward()
    data = b"".join(p.grad.numpy().tobytes() for p in network.parameters())
    return hashlib.sha256(data).hexdigest()

def threads():
    time.sleep(0.2)  # a thread's end takes a moment
    return len(list(Path("/proc/self/task").iterdir()))

print(gradients(), threads())
for _ in range(2):
    team.gather()
    print(gradients(), threads())
    team.release()
    print(gradients(), threads())
team.release()
"""


def printed_by(code: str) -> str:
    """What a process of its own prints that runs ``code`` without a word and to its end.

    Its environment says nothing of OpenMP.
    """
    unset = {key: os.environ[key] for key in os.environ if not key.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=unset | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@linux_only
def test_a_team_that_sleeps_changes_no_result_and_ends_when_released() -> None:
    printed = printed_by(TEAMS)
    hashes, counts = zip(*(line.split() for line in printed.splitlines()), strict=True)
    assert len(set(hashes)) == 1
    alone, gathered, *again = map(int, counts)
    # With the two that compute more threads than CPUs: so libgomp lets all of them wait asleep.
    assert gathered - alone >= 2
    assert gathered - alone + 1 > len(os.sched_getaffinity(0)) - 2
    assert again == [alone, gathered, alone]


LIMITED = """
import resource
from cnnsweep.training.busy_machine import libgomps_sleepers
used, most = resource.getrlimit(resource.RLIMIT_AS)
team = libgomps_sleepers(2)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 20 * 2**20, most))  # not a third thread's stack
print(team.gather())
resource.setrlimit(resource.RLIMIT_AS, (used, most))
print(team.gather())
team.release()
"""


@linux_only
def test_where_no_more_threads_may_start_nothing_happens() -> None:
    assert printed_by(LIMITED).split() == ["False", "True"]


@linux_only
def test_beside_busy_programs_the_threads_of_a_run_wait_asleep(tmp_path: Path) -> None:
    words = ("model=lenet", "epochs=3", "threads=2", "pictures=false", "test=false")
    programs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    try:
        busy = start(*words, "hydra.run.dir=busy", cwd=tmp_path)
        output = busy.communicate(timeout=240)
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert (busy.returncode, output[1]) == (0, "")
    assert "they wait for each other asleep" in (tmp_path / "busy/cnnsweep.log").read_text()
    passive = start(*words, "hydra.run.dir=passive", cwd=tmp_path, OMP_WAIT_POLICY="passive")
    assert passive.communicate(timeout=240)[1] == ""
    assert "wait for each other" not in (tmp_path / "passive/cnnsweep.log").read_text()
    best = [(tmp_path / name / "best.pt").read_bytes() for name in ("busy", "passive")]
    assert best[0] == best[1]


def test_the_machine_is_busy_when_threads_wait_and_quiet_after_a_while() -> None:
    judgement, now, said = Judgement(), 0.0, []
    for share in (0.0, 0.08, 0.3, 0.0, 0.06, *[0.0] * 12):
        now += 0.1
        said.append(judgement.look(share, now))
    assert said[:2] == [False, False]  # 0.08 does not begin it
    assert all(said[2:14])  # nor does 0.06 let it end, but begins the while anew
    assert not said[-1]


def test_a_while_that_proves_too_short_is_doubled_up_to_a_minute() -> None:
    judgement, now, calms = Judgement(), 0.0, []
    for _ in range(9):
        now += 0.1
        assert judgement.look(0.5, now)
        began = now
        while judgement.look(0.0, now):
            now += 0.1
        calms.append(now - began)
    assert calms == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60], abs=0.25)
    now += 100
    assert judgement.look(0.5, now)  # long after: a while is a second again
    assert judgement.look(0.0, now + 0.9)
    assert not judgement.look(0.0, now + 1.1)


def test_shares_drawn_at_random_busy_only_after_waiting_and_quiet_only_after_none() -> None:
    draw = random.Random(0)
    for _ in range(100):
        judgement, now, shares = Judgement(), 0.0, []
        was = False
        for _ in range(200):
            now += 0.1
            shares.append(draw.choice((0.0, 0.0, 0.0, 0.0, 0.04, 0.07, 0.5)))
            busy = judgement.look(shares[-1], now)
            assert not (busy and not was and shares[-1] <= 0.1)
            assert not (was and not busy and max(shares[-9:]) > 0.05)
            was = busy
