"""A real SLURM of two nodes on this machine: its own daemons, ports, key and folder.

Jobs of the partition high preempt those of main. No accounting, no cgroups; a requeued job may
start again after seconds instead of two minutes.
"""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.sweep.ports import free_ports

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel")
_NODES = ("one", "two")
_CONFIG = """\
ClusterName=toy
SlurmctldHost=localhost
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=6
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
JobRequeue=1
ReturnToService=2
NodeName=one NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=1000
NodeName=two NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=1000
PartitionName=main Nodes=one,two Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=high Nodes=one,two MaxTime=INFINITE State=UP PriorityTier=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
"""


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [name for name in PROGRAMS if _path(name) is None]


def _path(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@dataclass
class Cluster:
    """``environment`` makes any command use this cluster."""

    folder: Path
    _daemons: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _is_up: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def start(self) -> None:
        """Returns once both nodes take jobs."""
        self.folder.chmod(0o755)  # munge wants its socket to be reachable
        (self.folder / "state").mkdir()
        for node in _NODES:
            (self.folder / f"spool.{node}").mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        config = _CONFIG.format(user=getpass.getuser(), folder=self.folder, ports=free_ports(3))
        (self.folder / "slurm.conf").write_text(config)
        self._start_daemon("munged", "--foreground", "--force", *self._munge_files())
        self.wait_until((self.folder / "munge.socket").exists)
        self._start_daemon("slurmctld", "-D")
        for node in _NODES:
            self._start_daemon("slurmd", "-D", "-N", node)
        self.wait_until(lambda: self.ask("sinfo", "-h", "-o", "%D %t").strip() == "2 idle")
        self._is_up = True

    def stop(self) -> None:
        """Ends all jobs, then the daemons."""
        try:
            if self._is_up:
                self.ask("scancel", "--user", getpass.getuser())
                self.wait_until(lambda: not self.jobs())
        finally:
            for daemon in reversed(self._daemons):
                _end(daemon)

    def ask(self, *command: str) -> str:
        """What a SLURM command answers; a command that fails raises."""
        path = _path(command[0])
        assert path is not None
        return subprocess.run(
            [path, *command[1:]],
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def jobs(self, *states: str) -> list[str]:
        """The jobs in the queue, array jobs one by one; ``states`` such as RUNNING select."""
        chosen = ("--states", ",".join(states)) if states else ()
        return self.ask("squeue", "--noheader", "--array", "--format", "%i", *chosen).split()

    def wait_for_jobs(self, count: int, *states: str) -> list[str]:
        """The jobs in the queue once there are so many."""
        self.wait_until(lambda: len(self.jobs(*states)) == count)
        return self.jobs(*states)

    def preempt(self, job: str) -> None:
        """A job of higher priority takes the whole cluster for a while; SLURM requeues ``job``."""
        everything = ("--partition=high", "--nodes=2", "--exclusive", "--output=/dev/null")
        self.ask("sbatch", *everything, "--wrap=sleep 20")
        self.wait_until(lambda: self.jobs("PENDING") == [job])
        assert self.ask("squeue", "-h", "-o", "%P", "--states", "RUNNING").split() == ["high"]

    def start_again_now(self, job: str) -> None:
        """SLURM makes a requeued job wait for two minutes; a person may say otherwise."""
        self.wait_for_jobs(1, "PENDING")
        time.sleep(3)  # a node that has just ended a job refuses it within the same second
        self.ask("scontrol", "update", f"jobid={job}", "starttime=now")

    def wait_until(self, is_so: Callable[[], bool], seconds: float = 240.0) -> None:
        """Raises TimeoutError, with what the daemons said, where it does not come to that."""
        deadline = time.monotonic() + seconds
        while not is_so():
            dead = [d.args for d in self._daemons if d.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(log.read_text()[-2000:] for log in self.folder.glob("*.log"))
                raise TimeoutError(f"SLURM did not do it; ended: {dead}; its logs:\n{logs}")
            time.sleep(0.2)

    def _munge_files(self) -> list[str]:
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
        files |= {"seed-file": "seed"}
        return [f"--{option}={self.folder}/munge.{name}" for option, name in files.items()]

    def _start_daemon(self, program: str, *options: str) -> None:
        path = _path(program)
        assert path is not None
        self._daemons.append(
            subprocess.Popen(
                [path, *options],
                env={**os.environ, **self.environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(timeout=30)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
