"""The workers of one launch, on a made-up machine and for every launcher."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from cnnsweep.errors import UserError
from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.sizing import Crew, Work, make_crew
from cnnsweep.sweep.machine.workers import GIBIBYTE, Limit

BIG = Machine(cores=64, free_memory=512 * GIBIBYTE, gpus=tuple("01234567"))
WORK = Limit(30, "a quarter of 120 trials")
LAUNCHERS: dict[str, dict[str, Any]] = {
    "basic": {},
    "joblib": {"n_jobs": -1},
    "submitit_local": {"cpus_per_task": None},
    "submitit_slurm": {"array_parallelism": 256},
    "ray": {"ray": {"remote": {"num_cpus": 1}}},
    "mine": {},
}


def config(launcher: str = "basic", **keys: Any) -> DictConfig:
    chosen = {"hydra/launcher": launcher}
    node = {**LAUNCHERS[launcher], **keys}
    return OmegaConf.create({"hydra": {"launcher": node, "runtime": {"choices": chosen}}})


def crew(
    machine: Machine = BIG,
    *,
    n_jobs: int | str = "auto",
    devices: list[Any] | None = None,
    threads: list[object] | None = None,
    device: list[object] | None = None,
    launcher: DictConfig | None = None,
    limit: Limit = WORK,
    kept: bool = False,
    most: Limit | None = None,
    stack: int | str = 1,
    may_stack: bool = True,
) -> Crew:
    work = Work(limit, threads or [1], device or ["auto"], kept, most, may_stack=may_stack)
    settings = SimpleNamespace(n_jobs=n_jobs, stack=stack, devices=devices)
    return make_crew(launcher or config(), settings, machine, work)


@pytest.mark.parametrize("threads", [None, 1, 2, 16, "auto", "4"])
@pytest.mark.parametrize("device", ["auto", "cuda", "cpu", "cuda:3", None])
def test_the_runs_device_and_threads_decide_what_of_the_machine_counts(
    threads: object, device: object
) -> None:
    each = {"None": 1, "auto": 64}.get(str(threads)) or int(str(threads))
    gpus = {"cpu": 100, "cuda:3": 1}.get(str(device), 8)
    made = crew(threads=[threads], device=[device])
    assert len(made.devices) == min(64 // each, gpus, 30)
    alone = {"cuda:3": [None]}.get(str(device), [str(n % 8) for n in range(len(made.devices))])
    assert made.devices == alone


def test_a_gpus_workers_take_turns_and_a_listed_gpu_counts_as_often_as_it_is_listed() -> None:
    assert crew().devices == list("01234567")
    assert crew(n_jobs=10).devices == list("0123456701")
    assert crew(devices=[0, 0, 5, 5]).devices == ["0", "0", "5", "5"]
    assert crew(devices=[2], n_jobs=3).devices == ["2", "2", "2"]
    assert crew(devices=[1], device=["cuda:0"]).devices == ["1"]
    with pytest.raises(UserError, match="there is no GPU 8; allowed are 0 to 7"):
        crew(devices=[8])


@pytest.mark.parametrize(
    ("keys", "sharing"),
    [
        ({}, [1] * 8),
        ({"n_jobs": 10}, [2, 2, 1, 1, 1, 1, 1, 1, 2, 2]),
        ({"devices": [0, 0, 5]}, [2, 2, 1]),
        ({"device": ["cuda:3"], "n_jobs": 3}, [3, 3, 3]),
        ({"device": ["cuda:3"], "devices": [1, 1]}, [2, 2]),
        ({"machine": Machine(64), "n_jobs": 3}, [1, 1, 1]),
        ({"launcher": config("ray"), "device": ["cuda:0"], "n_jobs": 3}, [1, 1, 1]),
        ({"launcher": config("joblib"), "n_jobs": 9}, [2, 1, 1, 1, 1, 1, 1, 1, 2]),
    ],
)
def test_workers_know_how_many_share_their_gpu_and_a_line_says_so(
    keys: dict[str, Any], sharing: list[int]
) -> None:
    made = crew(**keys)
    assert [gpu.workers for gpu in made.gpus] == sharing
    line = f"up to {max(sharing)} workers share a GPU: each has that part of its memory"
    assert any(said.startswith(line) for said in made.lines) == (max(sharing) > 1)
    assert "share a GPU" not in str(crew(**keys | {"device": ["cpu"]}).lines)


@pytest.mark.parametrize(
    ("launcher", "keys", "count", "reason"),
    [
        ("basic", {}, 8, "8 GPUs"),
        ("joblib", {}, 8, "8 GPUs"),
        ("joblib", {"n_jobs": 3}, 3, "hydra.launcher.n_jobs=3"),
        ("submitit_local", {}, 30, "a quarter of 120 trials"),
        ("submitit_slurm", {}, 30, "a quarter of 120 trials"),
        ("submitit_slurm", {"array_parallelism": 4}, 4, "hydra.launcher.array_parallelism=4"),
        ("ray", {}, 16, "hydra/launcher=ray"),
        ("mine", {}, 16, "hydra/launcher=mine"),
    ],
)
def test_a_launcher_for_other_machines_is_not_measured_by_this_one(
    launcher: str, keys: dict[str, Any], count: int, reason: str
) -> None:
    made = crew(launcher=config(launcher, **keys))
    assert len(made.devices) == count
    assert f"of 1 thread: {reason}" in made.lines[0]
    if launcher not in ("basic", "joblib"):
        assert made.devices == [None] * count


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_typed_number_counts_with_every_launcher_and_never_is_none(launcher: str) -> None:
    for n_jobs, jobs, cores in product((1, 3, 100), (1, 50), (1, 64)):
        machine, limit = Machine(cores, 0.1, 0), Limit(jobs, f"{jobs} jobs")
        typed = crew(machine, n_jobs=n_jobs, limit=limit, launcher=config(launcher))
        assert len(typed.devices) == n_jobs
        assert len(crew(machine, limit=limit, launcher=config(launcher)).devices) >= 1


def test_runs_of_all_cores_are_not_put_side_by_side() -> None:
    """Jobs that Hydra's own sweeper began have as many threads as there are cores."""
    made = crew(Machine(16), threads=["auto"], kept=True)
    assert made.lines == (
        "1 worker of 16 threads as at the first launch: 16 physical cores; "
        "hydra.sweeper.n_jobs=… for another number",
    )
    assert "4 workers of 1 or 4 threads" in crew(Machine(16), threads=["1", "4"]).lines[0]


@pytest.mark.parametrize(("n_jobs", "share"), [("auto", "2"), (3, "5"), (16, "1"), (99, "1")])
def test_an_app_of_ones_own_shares_out_the_cores(n_jobs: int | str, share: str) -> None:
    made = crew(Machine(16), n_jobs=n_jobs, threads=[None], limit=Limit(8, "8 jobs"))
    assert made.environment == {"OMP_NUM_THREADS": share}
    assert crew(threads=[2]).environment == {}
    assert crew(threads=[None], launcher=config("ray")).environment == {}


@pytest.mark.parametrize("n_jobs", ["auto", 1, 2, 9])
def test_a_grids_batch_holds_for_a_typed_number_too(n_jobs: int | str) -> None:
    two = Limit(2, "hydra.sweeper.max_batch_size=2")
    assert len(crew(n_jobs=n_jobs, most=two).devices) == (1 if n_jobs == 1 else 2)
    assert len(crew(n_jobs=n_jobs, devices=[0, 1, 2], most=two).devices) == (
        1 if n_jobs == 1 else 2
    )
    said = crew(n_jobs=9, most=two).lines[0]
    assert said == "2 workers of 1 thread: hydra.sweeper.max_batch_size=2 (auto: 2)"


ONE = Machine(cores=16, free_memory=64 * GIBIBYTE, gpus=("0",))


@pytest.mark.parametrize(
    ("machine", "keys", "workers", "stack", "line"),
    [
        (ONE, {}, 1, 1, "1 worker of 1 thread: 1 GPU"),
        (ONE, {"stack": 4}, 1, 4, "1 worker of 1 thread, 4 trials each: 1 GPU"),
        (ONE, {"stack": "auto"}, 1, 16, "1 worker of 1 thread, 16 trials each: 1 GPU"),
        (ONE, {"stack": "auto", "device": ["cpu"]}, 16, 1, "16 workers of 1 thread: 16 physical"),
        (ONE, {"stack": "auto", "may_stack": False}, 1, 1, "1 worker of 1 thread: 1 GPU"),
        (ONE, {"stack": "auto", "limit": Limit(5, "5 jobs")}, 1, 5, "1 worker of 1 thread, 5 t"),
        (BIG, {"stack": "auto"}, 8, 3, "8 workers of 1 thread, 3 trials each: 8 GPUs"),
        (BIG, {"stack": 16}, 2, 16, "2 workers of 1 thread, 16 trials each: a quarter of 120"),
        (BIG, {"stack": 16, "n_jobs": 3}, 3, 16, "3 workers of 1 thread, 16 trials each: hydra"),
        (BIG, {"stack": 4, "most": Limit(6, "b=6")}, 1, 4, "1 worker of 1 thread, 4 trials each"),
        (BIG, {"stack": 9, "most": Limit(6, "b=6")}, 1, 6, "1 worker of 1 thread, 6 trials each"),
        (Machine(cores=4), {"stack": 8}, 4, 8, "4 workers of 1 thread, 8 trials each: 4 physical"),
        (Machine(cores=4), {"stack": "auto"}, 4, 1, "4 workers of 1 thread: 4 physical cores"),
    ],
)
def test_workers_have_several_runs_where_that_is_asked_for(
    machine: Machine, keys: dict[str, Any], workers: int, stack: int, line: str
) -> None:
    made = crew(machine, **keys)
    assert (len(made.devices), made.stack) == (workers, stack)
    assert made.lines[0].startswith(line)


@pytest.mark.parametrize("launcher", ["submitit_slurm", "ray", "mine"])
def test_auto_stacks_nothing_where_workers_run_elsewhere(launcher: str) -> None:
    assert crew(stack="auto", launcher=config(launcher)).stack == 1
