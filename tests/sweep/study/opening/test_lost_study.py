"""A search whose study is gone while its runs are there is refused, and nothing is touched."""

import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import optuna
import pytest
from optuna.storages import InMemoryStorage

from cnnsweep.errors import UserError
from cnnsweep.folders.lock import LOCK_NAME
from cnnsweep.sweep.study.opening.lost_study import refuse_lost_study
from tests.command import TINY, cnnsweep, complaint_of, succeeded
from tests.sweep.sweep_commands import TOY, TOY_SPACE, sweep

SEARCH = ("-m", *TINY[:2], "epochs=1", "search=sgd", "hydra.sweep.dir=s", "hydra.sweeper.n_jobs=1")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of two trials, and its journal as it was after the first of them."""
    here = tmp_path_factory.mktemp("searched")
    succeeded(cnnsweep(*SEARCH, "hydra.sweeper.n_trials=1", cwd=here))
    shutil.copy(here / "s/study.journal", here / "earlier.journal")
    succeeded(cnnsweep(*SEARCH, "hydra.sweeper.n_trials=2", cwd=here))
    return here


def _nothing(folder: Path) -> None:
    """Leave it as it is."""


def _without_journal(folder: Path) -> None:
    (folder / "study.journal").unlink()


def _emptied(folder: Path) -> None:
    (folder / "study.journal").write_text("")


def _as_it_was(folder: Path) -> None:
    shutil.copy(folder.parent / "earlier.journal", folder / "study.journal")


def _results_alone(folder: Path) -> None:
    for name in ("0", "1", "report"):
        shutil.rmtree(folder / name)
    _without_journal(folder)


@pytest.mark.parametrize(
    ("lose", "more", "named"),
    [
        (_without_journal, (), "s has trial 0, 1 and optimization_results.yaml, "),
        (_emptied, (), "s has trial 0, 1 and optimization_results.yaml, "),
        (_as_it_was, (), "s has trial 1, "),
        (_results_alone, (), "s has optimization_results.yaml, "),
        (_nothing, ("hydra.sweeper.study_name=another",), "the study 'another' knows nothing"),
        (_nothing, ("hydra.sweeper.storage=sqlite:///{}/a.db",), "s has trial 0, 1 and "),
    ],
)
def test_what_the_study_does_not_know_is_not_begun_over(
    lose: Callable[[Path], None],
    more: tuple[str, ...],
    named: str,
    searched: Path,
    tmp_path: Path,
) -> None:
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    lose(tmp_path / "s")
    before = _contents(tmp_path)
    words = ("hydra.sweeper.n_trials=2", *(word.format(tmp_path) for word in more))
    lines = [(*SEARCH, *words), (*SEARCH, *words, "hydra.sweeper.dry_run=true")]
    if not more:
        lines.append(("resume=s",))
    for line in lines:
        refused = complaint_of(cnnsweep(*line, cwd=tmp_path))
        assert named in refused
        if any("storage=" in word for word in words):
            assert f"Bring back what {words[-1]} had (or type the storage " in refused
        else:
            assert "Bring its study.journal back" in refused
        assert "hydra.sweeper.warm_start=s tells" in refused
        assert _contents(tmp_path) == before


def test_a_typed_storage_is_named_without_its_password(searched: Path) -> None:
    plan = Mock(folder=searched / "s", sweep=searched / "s", study_name="another", is_ours=True)
    url = "postgresql://me:secret@host/studies"
    with pytest.raises(
        UserError, match=r"storage='postgresql://me:\*\*\*@host/studies' had"
    ) as said:
        refuse_lost_study(plan, InMemoryStorage(), url)
    assert "secret" not in str(said.value)


def test_a_database_that_is_there_stays_as_it_is(searched: Path, tmp_path: Path) -> None:
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path}/a.db"
    optuna.create_study(study_name="theirs", storage=url)
    before = _contents(tmp_path)
    refused = complaint_of(cnnsweep(*SEARCH, f"hydra.sweeper.storage={url}", cwd=tmp_path))
    assert "s has trial 0, 1 and " in refused
    assert _contents(tmp_path) == before


def test_another_apps_search_is_not_begun_over_either(tmp_path: Path) -> None:
    line = (TOY, tmp_path / "s", *TOY_SPACE, "hydra.sweeper.n_trials=2", "epochs=1")
    assert sweep(*line).code == 0
    assert sweep(*line).code == 0  # where all is there it goes on
    _without_journal(tmp_path / "s")
    done = sweep(*line)
    assert done.code == 1
    assert done.text.startswith("error: ")
    assert "s has trial 0, 1 and optimization_results.yaml, " in done.text
    assert not (tmp_path / "s/study.journal").exists()


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != LOCK_NAME)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
