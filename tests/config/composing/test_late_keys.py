"""Words are written for a sweep's own composition, and come back as they were typed."""

from pathlib import Path

import pytest

from cnnsweep.config.composing.late_keys import as_typed_words, words_of_sweep
from tests.config.composing.sweeps import sweep

UNTOUCHED = [
    "data=mnist,digits", "data=mnist", "seed=3", "early_stopping.patience=3", "optim.lr=1,2",
    "+optim.x=1", "++optim.x=1", "~optim.lr", "hydra.sweep.dir=x", "hydra/sweeper=basic",
    "logger@x.y=csv", "a/b=c", "optim.lr=[", "model", "resume=latest",
]  # fmt: skip


def test_only_plain_keys_that_an_option_may_bring_are_written_otherwise() -> None:
    words = ["-m", *UNTOUCHED, "data.root=DIR", "optim.eps='a b'", "width=3"]
    written = words_of_sweep(words)
    assert written == ["-m", *UNTOUCHED, "++data.root=DIR", "++optim.eps='a b'", "++width=3"]
    assert as_typed_words(written) == words


def test_what_was_typed_with_both_stays_both() -> None:
    words = ["-m", "data.root=A", "++data.root=A"]
    assert words_of_sweep(words) == words


def test_a_single_runs_words_stay() -> None:
    words = ["data=mnist", "data.root=DIR"]
    assert words_of_sweep(words) == words


def test_an_earlier_commands_words_are_forgotten() -> None:
    words_of_sweep(["-m", "data.root=DIR"])
    assert words_of_sweep(["-m", "++data.root=DIR"]) == ["-m", "++data.root=DIR"]
    assert as_typed_words(["++data.root=DIR"]) == ["++data.root=DIR"]


@pytest.mark.parametrize("option", ["--config-dir", "-cd"])
def test_a_group_of_ones_own_is_no_key(option: str, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    words = ["-m", option, str(tmp_path), "own=x", "other=x"]
    assert words_of_sweep(words) == [*words[:-1], "++other=x"]


def test_the_sweeps_config_records_what_was_typed() -> None:
    with sweep("data=digits,mnist", "data.root=DIR") as config:
        assert list(config.hydra.overrides.task) == ["data=digits,mnist", "data.root=DIR"]
