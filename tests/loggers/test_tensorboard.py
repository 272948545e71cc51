import signal
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.command import TINY, cnnsweep, start, succeeded
from tests.run_files import metrics


def events(folder: Path) -> EventAccumulator:
    read = EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    return read


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboards_own_reader_finds_every_epoch_once_even_after_a_kill(tmp_path: Path) -> None:
    arguments = (*TINY, "epochs=8", "logger=tensorboard", "hydra.run.dir=run")
    folder = tmp_path / "run"
    process = start(*arguments, cwd=tmp_path)
    while process.poll() is None and not (folder / "last.pt").exists():
        pass
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL  # it was not over yet
    succeeded(cnnsweep(*arguments, cwd=tmp_path))
    read = events(folder)
    assert set(read.Tags()["images"]) == {"curves", "predictions", "confusion"}
    for name in ("train_loss", "val_accuracy", "learning_rate"):
        logged = read.Scalars(name)
        assert [scalar.step for scalar in logged] == list(range(1, 9))
        wanted = [float(row[name]) for row in metrics(folder)]
        assert [scalar.value for scalar in logged] == pytest.approx(wanted, rel=1e-6)
