"""Commands from Python: the same engine, folders and lines."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.api import Run, RunFailed, Sweep, UserError, compose, run, sweep
from cnnsweep.config.sweeper_keys import keys_of
from cnnsweep.folders.run_folder import RunFolder
from tests.api.scripts import begin, output_of
from tests.command import cnnsweep, succeeded

SMALL: dict[str, Any] = {
    "model": "lenet", "data": {"train_limit": 200}, "epochs": 1, "threads": 1, "pictures": False,
}  # fmt: skip
WORDS = ("model=lenet", "data.train_limit=200", "epochs=1", "threads=1", "pictures=false")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def test_a_run_and_its_results(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = run(**SMALL, optim={"lr": 0.05}, folder="outputs/first")
    shown = capsys.readouterr()
    assert "epoch 1/1  loss" in shown.out
    assert shown.err == ""
    assert trained.folder == here / "outputs" / "first"
    assert trained.config.optim.lr == 0.05
    result = trained.result
    assert (result.status, result.epochs, result.objective) == (
        "completed", 1, result.metrics["val_accuracy"],
    )  # fmt: skip
    assert list(trained.metrics["epoch"]) == [1]
    assert trained.metrics["val_accuracy"][0] == result.objective
    share = (trained.predictions["label"] == trained.predictions["prediction"]).mean()
    assert share == pytest.approx(result.metrics["test_accuracy"])
    assert trained.figures == []
    network = trained.model()
    assert not network.training
    assert "val_accuracy" in repr(trained)

    again = run(*WORDS, "optim.lr=0.05", folder=trained.folder)  # the same by other words
    assert again == trained
    assert "already finished" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"holds a run of another config; these keys differ: seed"):
        run(**SMALL, optim={"lr": 0.05}, seed=4, folder="outputs/first")
    # A command has the same bytes, and takes what Python has trained.
    done = cnnsweep(*WORDS, "optim.lr=0.05", "hydra.run.dir=typed", cwd=here)
    succeeded(done)
    assert RunFolder(here / "typed").best.read_bytes() == RunFolder(again.folder).best.read_bytes()
    out = succeeded(cnnsweep("resume=outputs/first", cwd=here))
    assert out.startswith("already finished: outputs/first")
    assert result.command is not None
    assert result.command.startswith("python -m cnnsweep model=lenet data.train_limit=200")


def test_the_composed_config_is_that_of_the_command(here: Path) -> None:
    done = cnnsweep("model=lenet", "epochs=3", "optim.lr=0.1", "--cfg", "job", cwd=here)
    config = compose("model=lenet", epochs=3, optim={"lr": 0.1})
    assert dict(config) == yaml.safe_load(succeeded(done))
    assert list(here.iterdir()) == []
    with pytest.raises(Exception, match="epoch"):
        _ = config.epoch  # a typing error is no key


def test_own_configs(here: Path) -> None:
    own = here / "mine" / "model"
    own.mkdir(parents=True)
    (own / "wide.yaml").write_text(
        "_target_: cnnsweep.models.lenet.LeNet\nchannels: [8, 32]\nhidden: [64]\n"
    )
    config = compose(model="wide", config_dir="mine")
    assert config.model.channels == [8, 32]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"epoch": 3}, "unknown key 'epoch'. Did you mean 'epochs'?"),
        ({"model": "lenett"}, "unknown model 'lenett'. Did you mean 'lenet'?"),
        ({"optim": {"lr": -1}}, "optim.lr=-1 is out of range"),
        ({"search": "sgd"}, "search=sgd is a sweep: it needs --multirun; from Python: sweep()"),
        ({"from_": "nowhere"}, "from=nowhere: there is no such folder"),
        ({"model": {"_target_": "os.system"}}, "CNNSWEEP_ALLOW='os.*'"),
    ],
)
def test_refusals_are_the_commands_lines(
    keys: dict[str, Any], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []
    for call in (compose, run):
        with pytest.raises(UserError) as refused:
            call(**keys)
        assert not isinstance(refused.value, RunFailed)
        lines.append(str(refused.value))
    assert said in lines[0]
    assert lines[0] == lines[1]
    assert capsys.readouterr() == ("", "")
    assert list(here.iterdir()) == []


def test_hydras_globals_stay_the_users(here: Path) -> None:
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    with initialize_config_dir(str(here), job_name="mine"):
        mine = GlobalHydra.instance().hydra
        assert compose(epochs=2).epochs == 2
        assert GlobalHydra.instance().hydra is mine
    assert not GlobalHydra.instance().is_initialized()


def test_a_run_that_fails(here: Path) -> None:
    (here / "mine.py").write_text(
        "from torch import nn\n\n\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, **sizes):\n"
        "        raise ArithmeticError('no such net')\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNSWEEP_ALLOW", "mine.*")
        with pytest.raises(RunFailed, match="no such net") as failed:
            run("model._target_=mine.Net", folder="outputs/failing")
    assert failed.value.folder == here / "outputs" / "failing"
    assert Run.load("outputs/failing").result.status == "failed"


def test_a_grid_and_its_results(capsys: pytest.CaptureFixture[str]) -> None:
    first = sweep(**SMALL, seed=[0, 1], folder="multirun/grid")
    assert "2 of 2 completed" in capsys.readouterr().out
    assert (first.kind, len(first.table), len(first.failed)) == ("grid", 2, 0)
    assert sorted(first.table["seed"]) == [0, 1]
    assert first.best.folder.parent == first.folder
    assert [one.result.status for one in first.runs] == ["completed"] * 2
    assert first.report.name == "index.html"
    assert first.answer["runs"] == 2
    assert first.settings == {}
    assert Sweep.load("multirun/grid") == first
    again = sweep(**SMALL, seed=[0, 1], folder="multirun/grid")
    assert again == first
    assert "job 0" not in capsys.readouterr().out
    with pytest.raises(UserError, match="resume=multirun/grid is a sweep"):
        run(resume="multirun/grid")


def test_a_grid_of_which_some_jobs_fail(capsys: pytest.CaptureFixture[str]) -> None:
    mixed = sweep(**SMALL, optim={"lr": [0.01, 1e38]}, folder="mixed")
    said = capsys.readouterr().err
    assert "1 of 2 completed, 1 failed" in said
    assert list(mixed.failed["optim.lr"]) == [1e38]
    with pytest.raises(RunFailed, match="0 of 1 completed, 1 failed") as failed:
        sweep(**SMALL, optim={"lr": [1e38]}, folder="failing")
    assert failed.value.folder == Path("failing").resolve()


def test_a_search_and_its_results() -> None:
    found = sweep(**SMALL, search="sgd", n_trials=2, folder="multirun/search")
    assert found.kind == "search"
    assert len(found.table) == 2
    assert found.settings["best_params"].keys() == {"optim.lr", "optim.momentum", "data.batch_size"}
    assert found.best.result.objective == found.settings["best_value"]
    assert compose(from_=found.folder).optim.lr == found.best.config.optim.lr
    with pytest.raises(UserError, match=r"unknown key 'ntrials'.*Or, of the sweep: 'n_trials'\?"):
        sweep(search="sgd", ntrials=2)


@pytest.mark.skipif("dry_run" not in keys_of("grid"), reason="there is no such key here")
def test_a_dry_run_leaves_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(**SMALL, seed=[0, 1], dry_run=True)
    assert "2 jobs over seed" in capsys.readouterr().out
    assert list(here.iterdir()) == []


def test_importing_is_quick() -> None:
    text = (
        "import sys, cnnsweep.api\nprint(*{'torch', 'optuna', 'hydra', 'pandas'} & {*sys.modules})"
    )
    assert output_of(begin(text, Path.cwd(), is_file=False)) == (0, "\n", "")


SCRIPT = """
import threading
from cnnsweep.api import run

small = dict(model={"_target_": "nets.Net"}, epochs=1, threads=1, pictures=False, test=False,
             data={"train_limit": 200})
done = []
thread = threading.Thread(target=lambda: done.append(run(**small, folder="in_thread")))
thread.start()
thread.join()
done.append(run(**small, folder="in_main"))
print([one.result.status for one in done], done[0].model().network.layers[1].out_features)
"""
NET = """
from math import prod
from torch import nn


class Net(nn.Module):
    def __init__(self, *, in_channels, image_size, num_classes):
        super().__init__()
        pixels = in_channels * prod(image_size)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(pixels, num_classes))

    def forward(self, images):
        return self.layers(images)
"""


def test_a_plain_script_with_a_network_of_its_own_beside_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No ``__main__`` guard, a thread, and the current folder is not that of the script."""
    monkeypatch.setenv("CNNSWEEP_ALLOW", "nets.*")
    (here / "nets.py").write_text(NET)
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    text = f"import os\nos.environ['CNNSWEEP_ALLOW'] = 'nets.*'\nos.chdir({str(elsewhere)!r})\n"
    code, out, err = output_of(begin(text + SCRIPT, here))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "['completed', 'completed'] 10"
    assert (elsewhere / "in_thread").is_dir()


def test_threads_do_not_disturb_each_other(here: Path) -> None:
    folders: list[Path] = []

    def one(seed: int) -> None:
        folders.append(run(**SMALL, seed=seed).folder)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*folders}) == 2
    assert {folder.parent.parent for folder in folders} == {here / "outputs"}


def test_no_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(UserError, match=r"sys\.executable is empty"):
        run()
