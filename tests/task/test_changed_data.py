"""Other data in the folder of a run, a grid or a search are refused, and nothing is written."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.command import cnnsweep, complaint_of, succeeded
from tests.data.made_files import write_png_folders

OURS = (
    "data=image_folder", "data.image_size=8", "data.channels=1", "data.batch_size=8",
    "model.channels=[2,4]", "model.hidden=8", "epochs=2", "threads=1", "pictures=false",
)  # fmt: skip
SEARCH = ("search=sgd", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1")
KINDS = {
    "run": (*OURS, "hydra.run.dir=old"),
    "grid": ("-m", *OURS, "seed=0,1", "hydra.sweep.dir=old"),
    "search": ("-m", *OURS, *SEARCH, "hydra.sweep.dir=old"),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, grid and search over the same pictures, each in a folder of its own."""
    place = tmp_path_factory.mktemp("begun")
    for kind, typed in KINDS.items():
        (place / kind).mkdir()
        write_png_folders(place / kind / "pictures", {"cat": 15, "dog": 15})
        succeeded(cnnsweep(*typed, "data.root=pictures", cwd=place / kind))
    return place


def unfinished(folder: Path) -> None:
    """As if it had been killed in its last epoch: the last run has no outcome."""
    *_, last = sorted(folder.rglob("last.pt"))
    (last.parent / "result.json").unlink()


def files(folder: Path) -> dict[str, bytes]:
    skipped = (".lock", "study.journal")  # Optuna's journal notes each opening
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in skipped
    }


def repaint(pictures: Path) -> None:
    Image.new("L", (12, 8), 200).save(pictures / "cat" / "003.png")


def swap(pictures: Path) -> None:
    (pictures / "cat").rename(pictures / "x")
    (pictures / "dog").rename(pictures / "cat")
    (pictures / "x").rename(pictures / "dog")


REPAINTED = (repaint, "files changed: cat/003.png.")
# What is changed before the folder, unfinished by then, is typed again.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "run": (swap, "files changed: "),
    "grid": (
        lambda pictures: (pictures / "dog" / "004.png").unlink(),
        "1 image fewer to train on (24 → 23); files removed: dog/004.png.",
    ),
    "search": (lambda pictures: write_png_folders(pictures, {"emu": 5}), "classes added: emu;"),
}


def assert_refused(here: Path, kind: str, change: tuple[Callable[[Path], object], str]) -> None:
    make, said = change
    before = files(here / "old")
    shutil.copytree(here / "pictures", here / "changed")
    make(here / "changed")
    line = complaint_of(cnnsweep(*KINDS[kind], "data.root=changed", cwd=here))
    assert "was begun with other data" in line
    assert said in line
    assert "or put the data back" in line
    assert files(here / "old") == before
    shutil.rmtree(here / "changed")


@pytest.mark.parametrize("kind", KINDS)
def test_other_data_are_refused_in_a_line_and_the_same_elsewhere_are_not(
    begun: Path, kind: str, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    shutil.copytree(begun / kind, here)
    assert_refused(here, kind, REPAINTED)
    unfinished(here / "old")
    assert_refused(here, kind, CHANGES[kind])
    (here / "pictures").rename(here / "elsewhere")
    succeeded(cnnsweep(*KINDS[kind], "data.root=elsewhere", cwd=here))


def test_a_finished_run_whose_data_are_gone_is_finished(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun / "run" / "old", tmp_path / "old")
    before = files(tmp_path / "old")
    done = cnnsweep(*KINDS["run"], "data.root=nowhere", cwd=tmp_path)
    assert "already finished: old" in succeeded(done)
    assert files(tmp_path / "old") == before


def test_a_folder_without_a_record_of_its_data_is_resumed_with_a_line(
    begun: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    shutil.copytree(begun / "run", here)
    unfinished(here / "old")
    state = torch.load(here / "old" / "last.pt", weights_only=True)
    for key in ("data", "launch", "started", "earlier"):
        del state[key]
    state["training"]["history"] = state["training"]["history"][:1]
    torch.save(state, here / "old" / "last.pt")
    said = succeeded(cnnsweep(*KINDS["run"], "data.root=pictures", cwd=here))
    assert "nothing is recorded of the data that this run began with" in said
    result = json.loads((here / "old" / "result.json").read_text())
    assert result["data"]["train"] == 24


def test_what_another_app_left_in_a_folder_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "old" / ".hydra").mkdir(parents=True)
    (tmp_path / "old" / ".hydra" / "config.yaml").write_text("lr: 0.1\n")
    before = files(tmp_path / "old")
    line = complaint_of(cnnsweep("epochs=1", "hydra.run.dir=old", cwd=tmp_path))
    assert "of another app" in line
    assert files(tmp_path / "old") == before


def test_a_run_that_other_code_resumes_says_so_and_keeps_both(begun: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    shutil.copytree(begun / "run", here)
    unfinished(here / "old")
    state = torch.load(here / "old" / "last.pt", weights_only=True)
    state["launch"]["versions"]["torch"] = "1.0"
    state["launch"]["commit"] = "0" * 40
    torch.save(state, here / "old" / "last.pt")
    said = succeeded(cnnsweep(*KINDS["run"], "data.root=pictures", cwd=here))
    (line,) = (line for line in said.splitlines() if "resumed by other code" in line)
    result = json.loads((here / "old" / "result.json").read_text())
    assert f"torch 1.0 → {torch.__version__.partition('+')[0]}" in line
    assert "commit 000000000000 → " in line
    (earlier,) = result["earlier"]
    assert (earlier["versions"]["torch"], earlier["commit"]) == ("1.0", "0" * 40)
    assert earlier["epochs"] == 2
    assert result["versions"]["torch"] != "1.0"
    assert result["started"] == state["started"] <= result["ended"]


def test_every_run_says_what_code_and_machine_it_had(begun: Path) -> None:
    results = [json.loads(path.read_text()) for path in begun.rglob("*/result.json")]
    assert len(results) == 5
    for result in results:
        assert {"python", "torch", "numpy", "hydra-core", "omegaconf"} <= result["versions"].keys()
        assert result["hardware"]["cpu"]
        assert result["hardware"]["cores"] >= 1
        assert result["started"] <= result["ended"]
        assert result["data"] == results[0]["data"]
    for line in ("seed=1", "optim.lr="):
        assert any(line in result["command"] for result in results)
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if git.returncode == 0:
        assert {str(r["commit"]).removesuffix("-dirty") for r in results} == {git.stdout.strip()}
