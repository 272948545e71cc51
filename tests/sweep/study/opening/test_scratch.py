"""Storages that are only looked at, by their URLs."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cnnsweep.errors import UserError
from cnnsweep.sweep.study.opening.scratch import open_scratch, would_make_file
from cnnsweep.sweep.study.opening.storage import open_storage


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    storage = open_scratch(f"sqlite:///{tmp_path}/study.db", tmp_path, "s")
    assert storage.get_all_studies() == []
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_stays_empty(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    file.touch()
    assert open_scratch(f"sqlite:///{file}", tmp_path, "s").get_all_studies() == []
    assert file.read_bytes() == b""


def test_of_a_study_a_copy_is_opened_whatever_its_trials_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    study = optuna.create_study(study_name="s", storage=url, direction="maximize")
    optuna.create_study(study_name="another", storage=url)
    study.set_user_attr("facts", {"a": [1]})
    study.tell(study.ask({"x": optuna.distributions.FloatDistribution(0, 1)}), 0.5)
    running = study.ask()
    running.report(0.25, 1)
    study.enqueue_trial({"x": 0.5}, user_attrs={"is": "first"})
    before = (tmp_path / "study.db").read_bytes()
    copy = optuna.load_study(study_name="s", storage=open_scratch(url, tmp_path, "s"))
    assert copy.user_attrs == {"facts": {"a": [1]}}
    assert copy.direction == study.direction
    assert [t.state for t in copy.trials] == [
        TrialState.COMPLETE, TrialState.RUNNING, TrialState.WAITING,
    ]  # fmt: skip
    assert copy.trials[1].intermediate_values == {1: 0.25}
    assert copy.trials[2].system_attrs["fixed_params"] == {"x": 0.5}
    copy.tell(copy.trials[1].number, 0.75)
    assert (tmp_path / "study.db").read_bytes() == before
    assert study.trials[1].state is TrialState.RUNNING


def test_what_would_be_made_is_a_file_that_is_not_there_and_may_be(tmp_path: Path) -> None:
    (tmp_path / "there.db").touch()
    assert would_make_file(f"sqlite:///{tmp_path}/study.db")
    assert would_make_file(f"sqlite+pysqlite:///{tmp_path}/study.db")
    for url in (
        f"sqlite:///{tmp_path}/there.db", f"sqlite:///{tmp_path}/no/study.db",
        f"sqlite:///{tmp_path}/there.db/study.db", "sqlite:////proc/study.db", "sqlite://",
        "sqlite:///:memory:", f"sqlite:///file:{tmp_path}/study.db?uri=true",
        "postgresql://host/study.db", "grpc://host:1", "nothing at all",
    ):  # fmt: skip
        assert not would_make_file(url), url
    assert [path.name for path in tmp_path.iterdir()] == ["there.db"]


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "nothing://there", "grpc://"])
def test_what_cannot_be_opened_is_refused_with_the_line_of_a_launch(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as real:
        open_storage(url, tmp_path, None)
    with pytest.raises(UserError) as dry:
        open_scratch(url, tmp_path, "s")
    assert str(dry.value) == str(real.value)
