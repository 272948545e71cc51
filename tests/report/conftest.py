"""Folders that several tests look at; nobody may change them."""

from pathlib import Path

import pytest

from tests.report.made_runs import Job, make_grid, make_run
from tests.report.made_sweeps import make_compare


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid, a comparison of searches, single runs of every status, and a damaged one."""
    top = tmp_path_factory.mktemp("mixed")
    make_grid(top / "multirun" / "grid", ["simple", "lenet", "resnet"], range(5), images=300)
    make_compare(top / "multirun" / "compare", ["simple", "resnet"], trials=12, images=300)
    for status in ("failed", "interrupted", "pruned", "unfinished"):
        make_run(top / "outputs" / "deep" / "er" / status, Job("resnet", status=status))
    make_run(top / "outputs" / "other_data", Job("resnet", data="mnist"))
    damaged = make_run(top / "outputs" / "damaged", Job("resnet", accuracy=0.5))
    (damaged / "result.json").write_text('{"status": "compl')
    return top
