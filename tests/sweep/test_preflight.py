"""What can be said before the first trial is said in one line, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.command import cnnsweep, complaint_of
from tests.sweep.sweep_commands import OURS, TOY, TOY_SPACE, sweep

SEARCH = "search=sgd"
REFUSED = {
    "hydra.sweeper.stack=0 is out of range: allowed is auto, or a whole number from 1 up": (
        SEARCH,
        "hydra.sweeper.stack=0",
    ),
    "there is nothing to search over": (),
    "optim.momentum=1.5 is out of range": (SEARCH, "optim.momentum=interval(0, 1.5)"),
    "data.batch_size=16.0 is out of range": (SEARCH, "data.batch_size=interval(16, 64)"),
    "Did you mean 'optim.lr'?": (SEARCH, "optim.lrr=interval(0, 1)"),
    "Did you mean 'hyperband'?": (SEARCH, "hydra/sweeper/pruner=hyperbandd"),
    "cannot open the sqlite storage": (SEARCH, "hydra.sweeper.storage=sqlite:////no/such/x.db"),
    "data.val_fraction=0 leaves no validation split": (SEARCH, "data.val_fraction=0"),
    "'objective=[val_accuracy,val_loss]'": (SEARCH, "objective=val_accuracy,val_loss"),
    "allowed: null, or a number (seconds": (SEARCH, "hydra.sweeper.timeout=1h"),
    "allowed: a whole number (runs of": (SEARCH, "hydra.sweeper.confirm=null"),
    "which optim=adam lacks": (SEARCH, "optim=adam"),
    "names its trials' folders itself": (SEARCH, "hydra.sweep.subdir=x"),
    "'+lr=0.1': unknown key 'lr'": (SEARCH, "+lr=0.1"),
    "'+lr=0.1': unknown key": ("+lr=interval(0.1, 1)",),
    "allowed is auto, or a whole number from 0": (
        SEARCH,
        "hydra.sweeper.sampler.n_startup_trials=few",
    ),
    "is one value, a list": ("+hydra.sweeper.params={optim.lr: '[0.1, 0.01]'}",),
    "is made for optim=adam": ("search=adam", "experiment=mnist_simple"),
    "grad_clip=null,1.0": (SEARCH, "grad_clip=choice(null,1.0)"),
    "needs one objective": (SEARCH, "hydra.sweeper.confirm=2", "objective=[val_loss,parameters]"),
}


def test_a_stack_of_an_app_of_ones_own_is_refused(tmp_path: Path) -> None:
    done = sweep(TOY, tmp_path / "sweep", *TOY_SPACE, "hydra.sweeper.stack=2")
    assert done.code == 1
    assert done.text == (
        "error: hydra.sweeper.stack=2: the task is an app's own, whose epochs cannot be "
        "trained together; allowed here are 1 and auto\n"
    )
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize("said", REFUSED)
def test_a_sweep_that_could_only_fail_is_refused(tmp_path: Path, said: str) -> None:
    done = sweep(OURS, tmp_path / "sweep", *REFUSED[said])
    assert done.code == 1
    assert said in done.text
    assert len(done.text.strip().splitlines()) == 1
    assert not (tmp_path / "sweep").exists()


MISSING = {
    "a search": ("search=sgd", "data=mnist", "data.root=/no/such"),
    "a search over data": ("search=sgd", "data=mnist,svhn", "data.root=/no/such"),
    "a comparison": (
        *("search=sgd", "data.root=/no/such"),
        "hydra.sweeper.compare={data: [mnist, image_folder]}",
    ),
    "a grid": ("data=mnist", "data.root=/no/such,/nor/that", "model=simple,lenet"),
    "a dry run": ("search=sgd", "data=mnist", "data.root=/no/such", "hydra.sweeper.dry_run=true"),
}


@pytest.mark.parametrize("kind", MISSING)
def test_a_sweep_whose_data_are_plainly_not_there_is_refused(tmp_path: Path, kind: str) -> None:
    folder = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    done = cnnsweep("--multirun", *MISSING[kind], folder, cwd=tmp_path)
    said = complaint_of(done)
    assert said.startswith("error: data=")
    assert "/no/such" in said
    assert done.stdout == ""
    assert not (tmp_path / "sweep").exists()


def test_where_only_some_jobs_lack_their_data_those_fail_alone_and_are_told_once(
    tmp_path: Path,
) -> None:
    fast = ("epochs=1", "data.train_limit=100", "test=false", "pictures=false")
    command = ("--multirun", "data=digits,mnist", "seed=0,1", *fast, "data.root=/no/such")
    folder = f"hydra.sweep.dir={tmp_path / 'sweep'}"
    done = cnnsweep(*command, folder, "hydra.sweeper.n_jobs=1", cwd=tmp_path)
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("job ")]
    failed = sorted(line for line in lines if ": failed: " in line)
    assert len(lines) == 4
    assert failed[0].startswith("job 2: failed: data=mnist: train-images-idx3-ubyte not found")
    assert failed[1].startswith("job 3: failed: as job 2 did; its log: ")
    command = ("--multirun", "data=mnist", "seed=0,1", *fast, "data.root=/no/such")
    again = cnnsweep(*command, folder, cwd=tmp_path)
    assert complaint_of(again).startswith("error: data=mnist: ")


def test_a_search_on_the_test_split_is_called_that(tmp_path: Path) -> None:
    words = ("objective=test_accuracy", "test=true", "hydra.sweeper.n_trials=1", "epochs=1")
    done = sweep(OURS, tmp_path / "sweep", SEARCH, *words, "data.train_limit=60")
    assert done.code == 0, done.text
    assert "warning: objective=test_accuracy searches on the test split" in done.text


@pytest.mark.parametrize("more", [(), ("resume=latest",)])
def test_hosts_that_share_a_sweep_name_its_folder(tmp_path: Path, more: tuple[str, ...]) -> None:
    words = ("--multirun", SEARCH, "hydra.sweeper.shared=true", *more)
    assert "allowed: hydra.sweep.dir=FOLDER" in complaint_of(cnnsweep(*words, cwd=tmp_path))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "more", [("threads=lots",), ("seed=5000000000", "hydra/sweeper/sampler=grid", "lr=0.1,0.2")]
)
def test_another_meaning_of_threads_and_a_large_seed_stop_no_sweep(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    space = () if "lr=0.1,0.2" in more else TOY_SPACE
    done = sweep(TOY, tmp_path / "sweep", *space, *more, "hydra.sweeper.n_trials=1", "epochs=1")
    assert done.code == 0, done.text


def test_another_config_or_space_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    one = ("hydra.sweeper.n_trials=1", "epochs=1")
    assert sweep(TOY, tmp_path / "sweep", *TOY_SPACE, *one).code == 0
    other = sweep(TOY, tmp_path / "sweep", *TOY_SPACE, *one[:1], "epochs=2")
    assert other.code != 0
    assert "epochs (was 1, is 2)" in other.text
    narrower = sweep(TOY, tmp_path / "sweep", TOY_SPACE[0], *one)
    assert "this sweep was begun over lr, momentum, not lr" in narrower.text


def test_a_study_in_a_database_belongs_to_one_sweep_folder(tmp_path: Path) -> None:
    database = f"hydra.sweeper.storage=sqlite:///{tmp_path}/studies.db"
    settings = (*TOY_SPACE, "epochs=1", database, "hydra.sweeper.study_name=shared")
    assert sweep(TOY, tmp_path / "one", *settings, "hydra.sweeper.n_trials=1").code == 0
    again = sweep(TOY, tmp_path / "one", *settings, "hydra.sweeper.n_trials=2")
    assert again.code == 0, again.text
    other = sweep(TOY, tmp_path / "other", *settings)
    assert other.code != 0
    assert f"belongs to {tmp_path}/one" in other.text
