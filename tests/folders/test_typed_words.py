"""Words for a shell, made without Hydra, are those that Hydra reads back."""

import random
import shlex
from collections.abc import Iterator

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString

from cnnsweep.config.overrides import as_text
from cnnsweep.folders.typed_words import command, final_words, in_quotes, out_of_quotes, path_word


def _texts() -> Iterator[str]:
    rng = random.Random(0)
    for _ in range(500):
        yield "".join(rng.choices("ab '\"\\/.=,{}[]()ü:", k=rng.randint(1, 12)))


def test_quotes_are_hydras() -> None:
    for text in _texts():
        assert in_quotes(text) == as_text(text)
        assert out_of_quotes(in_quotes(text)) == text
        assert out_of_quotes(QuotedString(text, Quote.double).with_quotes()) == text


def test_a_folder_comes_back_from_shell_and_hydra() -> None:
    for folder in _texts():
        *program, word = shlex.split(command(path_word("resume", f"/{folder}")))
        assert program == ["python", "-m", "cnnsweep"]
        assert OverridesParser.create().parse_override(word).value() == f"/{folder}"


@pytest.mark.parametrize(
    ("more", "brings", "words", "why"),
    [
        ({}, False, "data.train_limit=null data.val_fraction=0", None),
        (
            {"objective": "val_loss"},
            False,
            "data.train_limit=null data.val_fraction=0 objective=train_loss",
            None,
        ),
        ({"early_stopping.patience": 3}, False, "data.train_limit=null", "early_stopping"),
        (
            {"scheduler._target_": "torch.optim.lr_scheduler.ReduceLROnPlateau"},
            False,
            "data.train_limit=null",
            "scheduler=reduce_on_plateau",
        ),
        ({}, True, "data.train_limit=null", "the data bring it"),
    ],
)
def test_a_final_model_keeps_the_validation_split_where_something_judges_by_it(
    more: dict[str, object], brings: bool, words: str, why: str | None
) -> None:
    config = {"data.train_limit": 9, "data.val_fraction": 0.1, "objective": "val_accuracy"}
    found, reason = final_words(config | more, brings_validation=brings)
    assert " ".join(found) == words
    kept = f"data.val_fraction stays, since {why}"
    assert reason.startswith("its last epoch counts" if why is None else kept)
