"""What changed in the data is said in words, and nothing where nothing changed."""

import random
from typing import Any

import pytest

from cnnsweep.folders.data_record import differences, same_data


def record(**changes: Any) -> dict[str, Any]:
    plain = {"classes": ["cat", "dog"], "train": 8, "val": None, "test": 2, "shape": [1, 4, 4]}
    return plain | {"hash": "a"} | changes


FILES = {f"cat/{n}.png": f"h{n}" for n in range(5)}


@pytest.mark.parametrize(
    ("now", "files", "said"),
    [
        (record(), FILES, []),
        (record(hash="b"), {}, ["other bytes"]),
        (record(hash="b"), FILES | {"cat/1.png": "x"}, ["files changed: cat/1.png"]),
        (
            record(hash="b"),
            dict.fromkeys(FILES, "x"),
            ["files changed: cat/0.png, cat/1.png, cat/2.png and 2 more"],
        ),
        (record(hash="b", classes=["cat", "dog", "emu"]), {}, ["classes added: emu"]),
        (record(hash="b", classes=["cat"]), {}, ["classes removed: dog"]),
        (
            record(hash="b", classes=["dog", "cat"]),
            {},
            ["classes in another order: cat, dog → dog, cat"],
        ),
        (record(hash="b", train=7), {}, ["1 image fewer to train on (8 → 7)"]),
        (record(hash="b", test=5), {}, ["3 images more to test with (2 → 5)"]),
        (record(hash="b", shape=[3, 4, 4]), {}, ["images of 1 × 4 × 4 → 3 × 4 × 4"]),
    ],
)
def test_what_differs_is_said(now: dict[str, Any], files: dict[str, str], said: list[str]) -> None:
    assert differences(record(), now, FILES, files) == said


def test_moved_files_are_called_renamed_and_no_others() -> None:
    now = {"cat/0.png": "h0", "dog/1.png": "h1", "dog/2.png": "h2", "dog/9.png": "h9"}
    assert differences(record(), record(hash="b"), FILES, now) == [
        "files renamed: cat/1.png, cat/2.png",
        "files removed: cat/3.png, cat/4.png",
        "files added: dog/9.png",
    ]


def test_every_change_of_files_is_named_in_some_way() -> None:
    luck = random.Random(0)
    for _ in range(300):
        names = [f"{luck.choice('ab')}/{n}" for n in range(luck.randint(1, 6))]
        before = {name: luck.choice("xyz") for name in names}
        now = {
            (name if luck.random() < 0.7 else f"c/{name}"): (
                value if luck.random() < 0.7 else luck.choice("xyz")
            )
            for name, value in before.items()
            if luck.random() < 0.8
        }
        said = differences(record(), record(hash="b"), before, now)
        assert (said == ["other bytes"]) == (before == now or not now)


def test_test_images_that_only_one_side_knows_make_no_difference() -> None:
    assert same_data(record(test_hash="t"), record())
    assert not same_data(record(test_hash="t"), record(test_hash="u"))
