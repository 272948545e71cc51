"""A journal that is only looked at: read as it is, written in memory."""

from pathlib import Path

import optuna
import pytest

from cnnsweep.sweep.journal.file import WholeLines
from cnnsweep.sweep.journal.kept_trials import KeptTrials
from cnnsweep.sweep.journal.scratch import ScratchLines


def begun(path: Path, trials: int) -> optuna.Study:
    study = optuna.create_study(study_name="s", storage=KeptTrials(WholeLines(path, None)))
    for number in range(trials):
        study.tell(study.ask(), float(number))
    return study


@pytest.mark.parametrize("torn", [b"", b'{"op_code": 4, "wor'])
def test_what_is_there_is_read_and_what_is_added_stays_in_memory(
    tmp_path: Path, torn: bytes
) -> None:
    path = tmp_path / "study.journal"
    begun(path, 3)
    path.write_bytes(path.read_bytes() + torn)
    files = {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in tmp_path.iterdir()}
    study = optuna.load_study(study_name="s", storage=KeptTrials(ScratchLines(path)))
    assert [trial.value for trial in study.trials] == [0.0, 1.0, 2.0]
    study.enqueue_trial({"x": 1.0})
    study.set_user_attr("note", "mine")
    trial = study.ask()
    study.tell(trial, 7.0)
    assert study.best_trial.value == 0.0
    assert study.trials[-1].value == 7.0
    assert study.user_attrs == {"note": "mine"}
    assert files == {one: (one.read_bytes(), one.stat().st_mtime_ns) for one in tmp_path.iterdir()}


def test_none_is_made_where_none_is(tmp_path: Path) -> None:
    storage = KeptTrials(ScratchLines(tmp_path / "study.journal"))
    study = optuna.create_study(study_name="s", storage=storage)
    assert study.trials == []
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    path.write_text("no record\n")
    with pytest.raises(ValueError, match="Expecting value"):
        ScratchLines(path)
