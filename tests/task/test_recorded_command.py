"""What a sweep records of its command."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from omegaconf import OmegaConf

from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.task.recorded_command import record_sweep

LAUNCHES = 4


def test_launches_that_begin_a_shared_sweep_at_once_leave_one_whole_record(tmp_path: Path) -> None:
    sweeper = {"_target_": "cnnsweep.sweep.sweeper.CnnSweeper", "n_trials": 3, "storage": None}
    overrides = {"hydra": ["hydra.sweeper.shared=true"], "task": ["optim.lr=interval(0.1, 1)"]}
    config = OmegaConf.create({"hydra": {"sweeper": sweeper, "overrides": overrides}})

    def record(folder: Path, all_there: Barrier) -> None:
        all_there.wait()
        record_sweep(folder, config)

    with ThreadPoolExecutor(LAUNCHES) as launches:
        for number in range(50):
            folder, all_there = tmp_path / str(number), Barrier(LAUNCHES)
            folder.mkdir()
            list(launches.map(record, [folder] * LAUNCHES, [all_there] * LAUNCHES))
            assert OmegaConf.load(SweepFolder(folder).config) == config
            assert list(folder.iterdir()) == [SweepFolder(folder).config]
