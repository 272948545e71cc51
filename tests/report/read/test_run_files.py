"""Words of a run's settings, typed again, give what its config has."""

import random
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.read.run_files import contradiction, split_sizes, words_of
from cnnsweep.report.read.run_record import Run
from tests.report.made_runs import Job, make_run
from tests.report.made_spaces import with_images

_VALUES = [0.1, 1e-7, 3, True, None, "relu", "a b", "it's", "1e5", [1, 2]]


@pytest.mark.parametrize("value", [*_VALUES, *(random.Random(0).gauss(0, 1) for _ in range(20))])
@pytest.mark.parametrize("is_typed", [False, True])
def test_words_give_the_recorded_value(value: object, is_typed: bool, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", Job(changes={"model.activation": value, "optim.lr": 0.5}))
    if is_typed:
        (run,) = gather([folder]).runs
        word = words_of(run, ["model.activation"])
        (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump([*word, "optim.lr=0.5"]))
    (run,) = gather([folder]).runs
    words = words_of(run, ["optim.lr", "model.activation", "no.such"])
    read = {o.get_key_element(): o.value() for o in OverridesParser.create().parse_overrides(words)}
    assert read["optim.lr"] == 0.5
    assert read["model.activation"] == value
    assert type(read["model.activation"]) is type(value)


def test_what_was_typed_for_the_run_is_shown_as_it_was(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", Job(changes={"optim.lr": 0.5}))
    (folder / ".hydra" / "overrides.yaml").write_text("- +optim.lr=5e-1\n- {}\n- 3\n")
    (run,) = gather([folder]).runs
    assert words_of(run, ["optim.lr"]) == ["+optim.lr=5e-1"]
    (folder / ".hydra" / "overrides.yaml").write_text("!!python/object:os.system [ls]\n")
    assert words_of(run, ["optim.lr"]) == ["optim.lr=0.5"]


def test_sizes_of_splits_are_those_of_the_record(tmp_path: Path) -> None:
    make_run(tmp_path / "r", Job(changes={"data.train_limit": 300}))
    make_run(tmp_path / "old", Job())
    old, run = gather([tmp_path]).runs
    assert (split_sizes(old).validation, split_sizes(old).test) == (None, None)
    with_images(tmp_path / "r", 5000, 700)
    assert (split_sizes(run).validation, split_sizes(run).test) == (30, 700)
    assert not split_sizes(run).brings_validation


@pytest.mark.parametrize(
    ("data", "limit", "share", "images"),
    [
        ('{"train": 1438, "val": null}', None, 0.1, 144),
        ('{"train": 1438, "val": null}', 300, 0.1, 30),
        ('{"train": 1438, "val": 77}', 300, 0.1, 77),
        ('{"train": "many"}', None, 0.1, None),
        ("[]", None, 0.1, None),
        ('{"train": 1438, "val": 77}', None, 0, None),
        ('{"train": 1438, "val": null}', None, float("nan"), None),
    ],
)
def test_validation_images_are_counted_by_what_the_run_recorded(
    tmp_path: Path, data: str, limit: int | None, share: float, images: int | None
) -> None:
    (tmp_path / "result.json").write_text(f'{{"data": {data}}}')
    config = {"data.train_limit": limit, "data.val_fraction": share}
    assert split_sizes(Run(tmp_path, config={**config})).validation == images
    assert split_sizes(Run(tmp_path / "none")).validation is None


OWN = "optim:\n  lr: 0.01\n  momentum: 0.9\nmodel:\n  _target_: a.B\nkeep: all\n"


def _run(folder: Path, composed: str, own: str = OWN, words: str = "- optim.lr=0.05\n") -> Path:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra/config.yaml").write_text(composed)
    (folder / ".hydra/overrides.yaml").write_text(words)
    (folder / "config.yaml").write_text(own)
    (folder / "cnnsweep.log").write_text("")
    return folder


def test_another_value_in_hydras_copy_is_a_line_and_not_a_setting(tmp_path: Path) -> None:
    run = _run(tmp_path / "12", OWN.replace("0.01", "0.05296"))
    gathered = gather([tmp_path])
    (line,) = gathered.problems
    assert line.startswith(f"{run / '.hydra'} is not of what was trained there: optim.lr=0.01 is")
    assert gathered.runs[0].status != "damaged"
    assert words_of(gathered.runs[0], ["optim.lr", "optim.momentum"]) == [
        "optim.lr=0.01",
        "optim.momentum=0.9",
    ]


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ("0.01", "0.01"),
        ("0.01", "1.0e-02"),
        ("0.01", "${optim.momentum}"),
        ("a.B", "~/a"),
        ("keep: all", "keep: best"),  # which may change
        ("keep: all", "keep: all\nhydra:\n  job: 1"),
        ("keep: all", "keep: all\nnew: 1"),
        ("keep: all", "keep: {"),  # damaged: that is said elsewhere
    ],
)
def test_the_same_and_what_may_differ_is_no_contradiction(
    was: str, is_now: str, tmp_path: Path
) -> None:
    assert contradiction(_run(tmp_path / "0", OWN.replace(was, is_now))) is None
