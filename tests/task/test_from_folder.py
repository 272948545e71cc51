"""from= starts from the config of a run, or of a sweep's winner, with what is typed on top."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.dotted_keys import leaves
from cnnsweep.folders.run_folder import RunFolder
from tests.command import REPOSITORY
from tests.forked_commands import Commands, Ended, forked_commands
from tests.made_commands import Command, made_command, written
from tests.run_files import tensors
from tests.task.test_command_again import MINE, OWN
from tests.test_recorded_folders import RECORDED

EVERY_DAY, DRAWN = 4, 40
OF_EACH_RUN = ("test", "pictures", "summary", "keep", "logger", "resume", "from")
TINY = (
    "model.channels=[2,4]", "model.hidden=8", "data.train_limit=100", "pictures=false", "epochs=1",
    "threads=1",
)  # fmt: skip
SEARCH = ("-m", *TINY, "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1")


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


@pytest.fixture(scope="module")
def search(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search `s` of a search file of somebody's own; nobody may change it."""
    place = tmp_path_factory.mktemp("search")
    (place / "more" / "search").mkdir(parents=True)
    (place / "more" / "search" / "mine.yaml").write_text(MINE)
    words = (*SEARCH[:-2], "search=mine", "--config-dir", "more", "hydra.sweeper.n_trials=2")
    succeeded(commands.run([*words, "scheduler=step", "hydra.sweep.dir=s"], place))
    return place


def succeeded(ended: Ended) -> str:
    assert ended.code == 0, ended.out + ended.err
    return ended.out


def refused(ended: Ended) -> str:
    assert ended.code == 1, ended.out
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    return lines[0]


def config_of(run: Path, *, whole: bool = False) -> dict[str, Any]:
    """A run's recorded config by dotted key, without what is each run's own."""
    config = leaves(RunFolder(run).read_config() or {})
    assert config
    kept = () if whole else OF_EACH_RUN
    return {key: value for key, value in config.items() if key.split(".")[0] not in kept}


def shown(commands: Commands, place: Path, *words: str) -> dict[str, Any]:
    """The config that a command would have, by dotted key."""
    out = succeeded(commands.run([*words, "--cfg", "job", "--resolve"], place))
    found = leaves(yaml.safe_load(out))
    return {key: value for key, value in found.items() if key not in ("from", "resume")}


def winner_of(sweep: Path) -> Path:
    results = yaml.safe_load((sweep / "optimization_results.yaml").read_text())
    return sweep / str(results["best_trial"])


def drawn(seeds: Iterator[int]) -> Iterator[Command]:
    """Right commands of single runs that leave checkpoints."""
    for seed in seeds:
        command = made_command(seed)
        if not command.wrong and not command.grid:
            yield command


def check_drawn(command: Command, commands: Commands, place: Path) -> bool:
    """Whether the command runs at all; then the run that starts from it must be the same."""
    written(command, place)
    words = [word for word in command.words if not word.startswith("hydra.run.dir=")]
    if commands.run([*words, "hydra.run.dir=a"], place).code:
        return False
    again = commands.run(["from=a", "pictures=false", "hydra.run.dir=b"], place)
    said = f"{command.text()}\n{again.out}{again.err}"
    assert again.code == 0, said
    assert config_of(place / "b") == config_of(place / "a"), said
    assert tensors(place / "b" / "best.pt") == tensors(place / "a" / "best.pt"), said
    return True


def test_it_has_the_bytes_of_a_run_that_was_typed_in_any_way(
    commands: Commands, tmp_path: Path
) -> None:
    ran = 0
    for number, command in enumerate(itertools.islice(drawn(itertools.count(5000)), EVERY_DAY)):
        (tmp_path / str(number)).mkdir()
        ran += check_drawn(command, commands, tmp_path / str(number))
    assert ran > EVERY_DAY // 2


def test_a_key_that_was_typed_twice_is_taken_as_it_was_typed(
    commands: Commands, tmp_path: Path
) -> None:
    words = ["+my.rate=0.2", "optim.lr=${my.rate}", "++optim.lr=0.1", *TINY]
    assert check_drawn(Command(words=words), commands, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_it_has_the_bytes_of_forty_drawn_runs(commands: Commands, tmp_path: Path) -> None:
    ran = 0
    for number, command in enumerate(itertools.islice(drawn(itertools.count(6000)), DRAWN)):
        (tmp_path / str(number)).mkdir()
        ran += check_drawn(command, commands, tmp_path / str(number))
        shutil.rmtree(tmp_path / str(number))
    print(f"\n{ran} of {DRAWN} drawn commands ran, and again from their folders")
    assert ran > DRAWN // 2


TYPED = (
    ["optim.lr=0.5"],
    ["scheduler.gamma=0.25", "seed=4", "test=false", "pictures=true"],
    ["epochs=7", "data.train_limit=null", "data.val_fraction=0"],
    ["early_stopping.patience=2"],
    ["++model.norm=batch"],
    ["~optim.eps"],
    ["optim={lr:0.3}"],
)


def test_what_is_typed_counts(search: Path, commands: Commands) -> None:
    before = shown(commands, search, "from=s")
    for typed in TYPED:
        wanted = dict(before)
        for word in typed:
            key, _, text = word.lstrip("+~").partition("=")
            if word.startswith("~"):
                wanted.pop(key)
            else:
                wanted |= {"optim.lr": 0.3} if key == "optim" else {key: yaml.safe_load(text)}
        assert wanted != before
        assert shown(commands, search, "from=s", *typed) == wanted


def test_of_a_search_it_is_the_winner_without_the_search(
    search: Path, commands: Commands, tmp_path: Path
) -> None:
    trial = winner_of(search / "s")
    succeeded(commands.run(["from=s", f"hydra.run.dir={tmp_path}/run"], search))
    assert config_of(tmp_path / "run") == config_of(trial)
    whole = config_of(tmp_path / "run", whole=True)
    assert (whole["test"], whole["pictures"], whole["from"]) == (True, True, "s")
    assert (tmp_path / "run" / "best.pt").read_bytes() == (trial / "best.pt").read_bytes()
    assert (tmp_path / "run" / "test_predictions.csv").exists()


def test_a_typed_option_brings_its_own_defaults(
    search: Path, commands: Commands, tmp_path: Path
) -> None:
    plain = shown(commands, tmp_path, "optim=adagrad", "model=lenet")
    found = shown(commands, search, "from=s", "optim=adagrad", "model=lenet")
    recorded = shown(commands, search, "from=s")
    for key, value in found.items():
        is_typed = key.split(".")[0] in ("optim", "model")
        assert value == (plain if is_typed else recorded)[key], key


def test_a_typed_experiment_counts_above_what_is_recorded(
    search: Path, commands: Commands, tmp_path: Path
) -> None:
    plain = shown(commands, tmp_path, "experiment=mnist_adam")
    found = shown(commands, search, "from=s", "experiment=mnist_adam")
    text = (Path(__file__).parents[2] / "conf" / "experiment" / "mnist_adam.yaml").read_text()
    content = yaml.safe_load(text)
    groups = [k.split("/")[-1] for d in content["defaults"] for k in d]
    assert "optim" in groups
    keys = leaves({key: value for key, value in content.items() if key != "defaults"})
    for key, value in found.items():
        if key in keys or key.split(".")[0] in groups:
            assert value == plain[key], key


def test_an_experiment_that_was_recorded_is_taken_but_for_typed_options(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "more" / "experiment").mkdir(parents=True)
    (tmp_path / "more" / "experiment" / "x.yaml").write_text(
        "# @package _global_\nwidth: 6\nmodel: {channels: ['${width}', 4], dropout: 0.5}\n"
        "optim: {lr: 0.02}\n"
    )
    words = ["--config-dir", "more", "experiment=x", *TINY[1:], "hydra.run.dir=a"]
    succeeded(commands.run(words, tmp_path))
    assert shown(commands, tmp_path, "from=a", "width=8")["model.channels"] == [8, 4]
    (tmp_path / "more").rename(tmp_path / "moved")
    line = refused(commands.run(["from=a"], tmp_path))
    assert f"--config-dir {tmp_path / 'more'}, which is not there" in line
    assert shown(commands, tmp_path, "--config-dir", "moved", "from=a")["optim.lr"] == 0.02
    (tmp_path / "moved").rename(tmp_path / "more")
    found = shown(commands, tmp_path, "from=a", "model=lenet")
    assert found["optim.lr"] == 0.02
    assert found["model.dropout"] == shown(commands, tmp_path, "model=lenet")["model.dropout"]
    succeeded(commands.run(["from=a", "model=lenet", "hydra.run.dir=b"], tmp_path))


def test_a_target_of_ones_own_and_a_chain_of_runs(tmp_path: Path) -> None:
    (tmp_path / "own_net.py").write_text(OWN)
    allowed = {"PYTHONPATH": f"{REPOSITORY}:{tmp_path}", "CNNSWEEP_ALLOW": "own_net.*"}
    with forked_commands(**allowed) as running:
        words = [*TINY, "+model.note='a b\"c ~ ü'", "model._target_=own_net.Net", "seed=3"]
        succeeded(running.run([*words, "hydra.run.dir=a"], tmp_path))
        succeeded(running.run(["from=a", "optim.lr=0.03", "hydra.run.dir=b"], tmp_path))
        succeeded(running.run(["from=b", "model.note=other", "hydra.run.dir=c"], tmp_path))
    changed = {"optim.lr": 0.03, "model.note": "other"}
    assert config_of(tmp_path / "c") == config_of(tmp_path / "a") | changed
    assert config_of(tmp_path / "c", whole=True)["from"] == "b"


def test_it_goes_on_when_it_was_stopped_in_each_way_of_saying_so(
    search: Path, commands: Commands, tmp_path: Path
) -> None:
    origin = tmp_path / "s"
    shutil.copytree(search / "s", origin)
    words = ["from=s", "epochs=3", "hydra.run.dir=r"]
    shutil.copytree(search / "more", tmp_path / "more")
    succeeded(commands.run([*words[:-1], "hydra.run.dir=whole"], tmp_path))
    succeeded(commands.run(words, tmp_path))
    assert "already finished" in succeeded(commands.run(words, tmp_path))
    (tmp_path / "r" / "result.json").unlink()
    succeeded(commands.run(words, tmp_path))  # the same command typed again
    (tmp_path / "r" / "result.json").unlink()
    shutil.rmtree(origin)  # what it came from is not needed any more
    succeeded(commands.run(["resume=r"], tmp_path))
    assert tensors(tmp_path / "r" / "last.pt") == tensors(tmp_path / "whole" / "last.pt")


def test_a_grid_around_the_winner(search: Path, commands: Commands, tmp_path: Path) -> None:
    where = f"hydra.sweep.dir={tmp_path}/g"
    succeeded(commands.run(["-m", "from=s", "seed=0,1", "optim.lr=0.01,0.02", where], search))
    recorded = config_of(winner_of(search / "s"))
    for number, (seed, rate) in enumerate([(0, 0.01), (0, 0.02), (1, 0.01), (1, 0.02)]):
        changed = {"seed": seed, "optim.lr": rate}
        assert config_of(tmp_path / "g" / str(number)) == recorded | changed


def test_a_search_around_the_winner_draws_what_its_space_has(
    search: Path, commands: Commands, tmp_path: Path
) -> None:
    words = ["-m", "from=s", "search=adam", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=1"]
    succeeded(commands.run([*words, f"hydra.sweep.dir={tmp_path}/g"], search))
    recorded = config_of(winner_of(search / "s"))
    found = [config_of(tmp_path / "g" / str(number)) for number in range(2)]
    assert found[0]["optim.lr"] != found[1]["optim.lr"]
    for config in found:
        assert config["model.channels"] == recorded["model.channels"]
        assert config["scheduler.gamma"] == recorded["scheduler.gamma"]


@pytest.mark.parametrize("name", ["unfinished_run", "grid", "search"])
def test_folders_of_older_code_are_started_from(
    name: str, commands: Commands, tmp_path: Path
) -> None:
    taken = {"grid": "grid/0", "search": "search/0"}.get(name, name)
    found = shown(commands, tmp_path, f"from={RECORDED / name}")
    recorded = leaves(yaml.safe_load((RECORDED / taken / "config.yaml").read_text()))
    if name in ("grid", "search"):
        values = {
            run.name: yaml.safe_load((run / "result.json").read_text())["objective"]
            for run in (RECORDED / name).glob("*")
            if (run / "result.json").exists()
        }
        best = max(values, key=lambda run: values[run])
        recorded = leaves(yaml.safe_load((RECORDED / name / best / "config.yaml").read_text()))
        if name == "grid":
            found["seed"] = recorded["seed"]  # repeats: the first seed of the one setting
    for key, value in recorded.items():
        if key.split(".")[0] not in OF_EACH_RUN:
            assert found[key] == value, key


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("from=nowhere", "there is no such folder"),
        ("from=empty", "holds neither a run nor a sweep"),
        ("from=s,empty", "allowed is one folder"),
        ("from=[s]", "allowed is one folder"),
        ("from=front", "name one of front/1, front/4"),
        ("from=begun", "no completed run"),
        ("from=another", "is no run of cnnsweep"),
        ("from=damaged", "is damaged"),
        ("from=robbed", "robbed/0 has no config.yaml"),
    ],
)
def test_a_folder_without_a_config_to_take_is_refused_before_anything_is_made(
    word: str, said: str, commands: Commands, tmp_path: Path
) -> None:
    for name in ("s", "empty", "front", "begun", "another", "damaged", "robbed/0"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "robbed" / "optimization_results.yaml").write_text(
        "name: optuna\nbest_params: {}\nbest_value: 0.5\nbest_trial: 0\nbest_folder: x/0\n"
    )
    (tmp_path / "robbed" / "0" / "best.pt").write_bytes(b"")
    (tmp_path / "front" / "optimization_results.yaml").write_text(
        "name: optuna\nsolutions:\n- folder: x/1\n- folder: x/4\n"
    )
    (tmp_path / "begun" / "multirun.yaml").write_text("{}")
    (tmp_path / "another" / "config.yaml").write_text("lr: 0.1\n")
    (tmp_path / "damaged" / "config.yaml").write_text("lr: [\n")
    before = set(tmp_path.rglob("*"))
    assert said in refused(commands.run([word], tmp_path))
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("words", [["from=null"], ["from=null", "-m", "seed=0,1"]])
def test_without_a_folder_nothing_is_taken(
    words: list[str], commands: Commands, tmp_path: Path
) -> None:
    assert shown(commands, tmp_path, words[0]) == shown(commands, tmp_path)
