import pytest
from tensorboard.plugins.hparams import api_pb2

from tests.loggers.conftest import EPOCHS, Tracked
from tests.loggers.tracker_readers import hparams, scalars
from tests.run_files import metrics, result

pytestmark = pytest.mark.trackers


def test_a_run_killed_four_times_has_every_epoch_once(killed_run: Tracked) -> None:
    folder = killed_run.root / "run"
    found, rows = scalars(folder), metrics(folder)
    for name in ("train_loss", "val_accuracy", "learning_rate"):
        assert [step for step, _ in found[name]] == list(range(1, EPOCHS + 1))
        wanted = [float(row[name]) for row in rows]
        assert [value for _, value in found[name]] == pytest.approx(wanted, rel=1e-6)
    ((step, accuracy),) = found["final_test_accuracy"]
    assert step == EPOCHS
    assert accuracy == pytest.approx(result(folder)["test_accuracy"])


def test_a_sweeps_trials_have_their_parameters_in_the_hparams_tab(killed_sweep: Tracked) -> None:
    for number in range(6):
        folder = killed_sweep.root / "sweep" / str(number)
        values, status = hparams(folder)
        assert set(values) == {"model.kind", "optim.lr"}
        assert values["optim.lr"] in (0.02, 0.05)
        outcome = result(folder)["status"]
        wanted = {"completed": api_pb2.STATUS_SUCCESS, "failed": api_pb2.STATUS_FAILURE}
        assert status == wanted.get(outcome, api_pb2.STATUS_UNKNOWN)
        assert ("final_objective" in scalars(folder)) == (outcome == "completed")
        steps = [step for step, _ in scalars(folder)["val_accuracy"]]
        assert steps == list(range(1, len(metrics(folder)) + 1))
