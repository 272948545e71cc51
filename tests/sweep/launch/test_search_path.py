"""Places on the search path that are not there are named in one line."""

from pathlib import Path

import pytest

from tests.sweep.launch.strangers import X, stranger
from tests.sweep.launch.test_ending import line_of
from tests.sweep.sweep_commands import sweep

OURS = ("hydra/sweeper=cnnsweep", "hydra.sweeper.n_jobs=1")
GONE = {
    "a package": "pkg://cnnsweepp.conf",
    "a folder": "file:///nowhere/conf",
    "two of them": "pkg://no_such_package,file:///nowhere/conf",
}


@pytest.mark.parametrize("kind", GONE)
def test_a_search_says_which_are_not_there_and_goes_on(kind: str, tmp_path: Path) -> None:
    typed = f"hydra.searchpath=[file://{tmp_path},{GONE[kind]}]"
    app = stranger(tmp_path / "app")
    done = sweep(app, tmp_path / "sweep", *OURS, X, typed, "hydra.sweeper.n_trials=1")
    assert done.code == 0, done.text
    named = GONE[kind].replace(",", ", ")
    (line,) = [row for row in done.text.splitlines() if row.startswith("warning: ")]
    assert line.startswith(f"warning: hydra.searchpath names {named}, which")
    after = done.text.partition(line)[2]
    assert "is not available" not in after  # Hydra's own, whenever it composes


def test_a_search_whose_places_are_there_says_nothing(tmp_path: Path) -> None:
    typed = (X, f"hydra.searchpath=[file://{tmp_path}]", "hydra.sweeper.n_trials=1")
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", *OURS, *typed)
    assert done.code == 0, done.text
    assert "searchpath" not in done.text


def test_what_does_not_compose_may_be_for_want_of_it(tmp_path: Path) -> None:
    typed = ("nosuch=1", "hydra.searchpath=[file:///nowhere/conf]")
    done = sweep(stranger(tmp_path / "app"), tmp_path / "sweep", *OURS, *typed)
    assert done.code == 1, done.text
    assert "unknown key 'nosuch'" in line_of(done.text)
    assert "hydra.searchpath names file:///nowhere/conf, which is not there" in line_of(done.text)
