"""Which searches pause trials by default, and what is refused in one line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnsweep.sweep.freeze_thaw.choice import TARGET, option
from cnnsweep.sweep.study.opening.compatibility import FACTS
from tests.forked_commands import Commands, forked_commands
from tests.sweep.sweep_commands import study

SEARCH = ("--multirun", "search=sgd", "model=lenet", "hydra.sweeper.n_trials=4", "epochs=3")
BUDGET, LEAST = "hydra.sweeper.pruner.budget", "hydra.sweeper.pruner.min_epochs"
TYPED = "hydra/sweeper/pruner=freeze_thaw"
REFUSED: dict[tuple[str, ...], str] = {
    **{
        (f"{BUDGET}={value}",): "allowed is auto, or the share of all epochs that may be spent"
        for value in ("0", "1.5", "-0.1", "nan", "much", "null", "true", "[0.5]")
    },
    (f"{BUDGET}=0.4",): "are 6 of 12; allowed is 0.5 up to 1, or auto",
    (f"{BUDGET}=0.8", f"{LEAST}=3"): "are 12 of 12; allowed is 1 up to 1, or auto",
    ("epochs=choice(3,5)", f"{BUDGET}=0.3"): "are 8 of 20; allowed is 0.4 up to 1",
    **{
        (f"{LEAST}={value}",): f"{LEAST}={value} is out of range: allowed is a whole number from 1"
        for value in ("0", "-1", "1.5", "few", "null")
    },
    (f"{LEAST}=4",): f"{LEAST}=4 is more than epochs=3, which a trial has in all",
    (TYPED, "objective=[val_loss,parameters]"): "that needs one objective, not 2",
    (TYPED, "objective=parameters"): "objective=parameters is not known after each epoch",
    (TYPED, "objective=test_accuracy", "test=true"): "allowed are train_loss, train_accuracy, val_",
    (f"{BUDGET}=0.5", "objective=train_seconds"): "objective=train_seconds is not known after each",
    ("hydra.sweeper.keep_paused=perhaps",): "keep_paused",
}


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with forked_commands() as running:
        yield running


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_pause_or_end_is_refused_in_one_line(
    commands: Commands, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = commands.run([*SEARCH, *words], tmp_path)
    assert done.code != 0
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert REFUSED[words] in done.err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "freeze_thaw"),
        (("objective=val_loss",), "freeze_thaw"),
        (("objective=train_loss",), "freeze_thaw"),
        (("objective=parameters",), "none"),
        (("objective=[val_loss,parameters]",), "none"),
        (("hydra/sweeper/pruner=median",), "median"),
    ],
)
def test_the_default_pauses_where_the_objective_is_known_after_each_epoch(
    commands: Commands, tmp_path: Path, words: tuple[str, ...], name: str
) -> None:
    few = ("hydra.sweeper.n_trials=1", "epochs=1", "data.train_limit=60", "hydra.sweep.dir=s")
    done = commands.run([*SEARCH, *few, *words], tmp_path)
    assert done.code == 0, done.err
    facts = study(tmp_path / "s").user_attrs[FACTS]
    assert facts["pruner"]["_target_"] == option(name)._target_
    assert (facts["pruner"]["_target_"] == TARGET) == (name == "freeze_thaw")
