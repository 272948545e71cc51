"""How many workers a sweep has: on a machine that is made up, in every combination."""

from itertools import product

import pytest

from cnnsweep.sweep.machine.facts import Machine
from cnnsweep.sweep.machine.workers import GIBIBYTE, Limit, cores_of, decide, limits_of

BIG = Machine(cores=64, free_memory=512 * GIBIBYTE, gpus=tuple("01234567"))
WORK = Limit(25, "a quarter of 100 trials")


def lines(
    machine: Machine,
    typed: int | str = "auto",
    devices: list[object] | None = None,
    threads: int = 1,
    work: Limit = WORK,
    kept: bool = False,
) -> tuple[int, tuple[str, ...]]:
    limits = [*limits_of(machine, threads), work]
    decided = decide(typed, devices, [threads], limits, kept_threads=kept, cores=cores_of(machine))
    return decided.count, decided.lines


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
@pytest.mark.parametrize("quota", [None, 0.5, 1.0, 2.5, 12.0, 100.0])
def test_auto_is_the_smallest_limit_and_names_it(cores: int, quota: float | None) -> None:
    for gibibytes, gpus, threads, work in product((0.4, 5.9, 600), (0, 1, 8), (1, 3, 16), (1, 25)):
        machine = Machine(cores, quota, int(gibibytes * GIBIBYTE), ("0",) * gpus)
        running = min(cores, 10**9 if quota is None else -int(-quota // 1))
        wanted = {
            "core": running // threads,
            "GiB of free memory": int(gibibytes),
            "GPU": gpus or 10**9,
            "quarter": work,
        }
        count, (first, *notes) = lines(machine, threads=threads, work=Limit(work, "a quarter"))
        assert count == max(1, min(wanted.values()))
        (named,) = (reason for reason in wanted if reason in first)
        assert wanted[named] == min(wanted.values())
        assert ("quota" in first) == (named == "core" and quota is not None and quota <= cores)
        assert (notes != []) == (threads > running)


@pytest.mark.parametrize(
    ("machine", "work", "line"),
    [
        (BIG, WORK, "8 workers of 1 thread: 8 GPUs"),
        (
            Machine(64, None, 512 * GIBIBYTE),
            WORK,
            "25 workers of 1 thread: a quarter of 100 trials",
        ),
        (Machine(64, None, 3 * GIBIBYTE), WORK, "3 workers of 1 thread: 3.0 GiB of free memory"),
        (Machine(8), WORK, "8 workers of 1 thread: 8 physical cores"),
        (Machine(64, 1.5), WORK, "2 workers of 1 thread: a quota of 1.5 cores"),
        (Machine(1), Limit(6, "6 jobs"), "1 worker of 1 thread: 1 physical core"),
        (BIG, Limit(6, "6 jobs"), "6 workers of 1 thread: 6 jobs"),
    ],
)
def test_the_line_that_a_person_reads(machine: Machine, work: Limit, line: str) -> None:
    _, (first, *notes) = lines(machine, work=work)
    assert first.startswith(line)
    assert first.endswith("; hydra.sweeper.n_jobs=… for another number")
    assert notes == []


def test_a_typed_number_is_obeyed_and_one_that_is_too_large_gets_a_line() -> None:
    assert lines(Machine(2), 2) == (
        2,
        ("2 workers of 1 thread: hydra.sweeper.n_jobs=2 (auto: 2)",),
    )
    assert lines(BIG, 1)[1] == ("1 worker of 1 thread: hydra.sweeper.n_jobs=1 (auto: 8)",)
    count, said = lines(Machine(2), 12)
    assert count == 12
    assert said == (
        "12 workers of 1 thread: hydra.sweeper.n_jobs=12 (auto: 2)",
        "note: 12 workers are more than is sensible: auto takes 2 (2 physical cores)",
    )


def test_a_list_of_gpus_has_a_worker_for_each_entry() -> None:
    two = Machine(64, gpus=("0", "1"))
    count, (first, note) = lines(two, devices=[0, 0, 1, 1])
    assert (count, first) == (4, "4 workers of 1 thread: hydra.sweeper.devices=[0,0,1,1] (auto: 2)")
    assert "2 GPUs" in note
    assert lines(two, 3, devices=[0, 0, 1, 1])[0] == 3


@pytest.mark.parametrize(
    ("cores", "threads", "workers"), [(16, 16, 1), (64, 16, 4), (8, 16, 1), (64, 32, 2)]
)
def test_a_resumed_sweep_keeps_its_threads_and_fits_its_workers_to_the_cores(
    cores: int, threads: int, workers: int
) -> None:
    count, (first, *notes) = lines(Machine(cores), threads=threads, kept=True)
    assert count == workers
    assert f" of {threads} threads as at the first launch: {cores} physical cores;" in first
    over = f"note: {threads} threads in a worker are more than {cores} physical cores can run"
    assert [note.startswith(over) for note in notes] == [True] * (threads > cores)
    assert "more than is sensible" in lines(Machine(cores), 32, threads=threads)[1][1]


def test_searches_of_several_threads_are_sized_by_the_most_and_an_app_may_have_none() -> None:
    limits = [*limits_of(Machine(16), 4)]
    several = decide("auto", None, [4, 1], limits, kept_threads=False, cores=None)
    assert several.lines[0].startswith("4 workers of 1 or 4 threads: ")
    own = decide("auto", None, [None], limits, kept_threads=False, cores=None)
    assert own.lines[0].startswith("4 workers: ")
