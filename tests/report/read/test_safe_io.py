"""Files of strangers are data: bounded, never objects, one line on damage."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from cnnsweep.report.read.safe_io import Damaged, flat_yaml, flatten, read_columns, read_json
from tests.report.nasty_text import NASTY

_LAUGHS = [f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}" for i in range(1, 20)]
BOMB = "\n".join(["a0: &a0 {z: 1}", *_LAUGHS])  # a billion laughs: half a million leaves


def _tree(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    def value() -> Any:
        kind = rng.randrange(7 if depth < 3 else 5)
        plain = (None, rng.random(), rng.randrange(-9, 9), rng.choice(NASTY), True)
        return plain[kind] if kind < 5 else [1, "b"] if kind == 5 else _tree(rng, depth + 1)

    return {rng.choice(["lr", "model", "a_b", rng.choice(NASTY)]): value() for _ in range(4)}


def test_reading_block_by_block_gives_what_reading_the_whole_gives() -> None:
    rng = random.Random(0)
    for _ in range(300):
        text = yaml.safe_dump(_tree(rng), sort_keys=False, allow_unicode=rng.random() < 0.5)
        assert flat_yaml(text) == flatten(yaml.safe_load(text))


def test_texts_that_reach_over_blocks_are_read_as_a_whole() -> None:
    assert flat_yaml("a: 'one\nb: two'\nc: 3") == {"a": "one b: two", "c": 3}
    assert flat_yaml("a: &x {k: 1}\nb: *x") == {"a.k": 1, "b.k": 1}
    assert flat_yaml("{a: 1,\nb: 2}") == {"a": 1, "b": 2}


def test_a_path_of_a_typed_config_is_text() -> None:
    config = {"a": Path("/b/c"), "d": Path(), "e": [Path("f")]}
    written = OmegaConf.to_yaml(OmegaConf.create(config))
    assert flat_yaml(written) == {"a": "/b/c", "d": ".", "e": '["f"]'}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:pathlib.PosixPath {b: c}",
        "a: !!python/object/apply:os.system ['touch owned']",
        "a: [1",
        "- 1",
        "just text",
        BOMB,
        "a: &a {b: *a}",
        "a: " + "{b: " * 30 + "1" + "}" * 30,
    ],
)
def test_harmful_and_broken_yaml_is_damage(text: str) -> None:
    with pytest.raises(Damaged) as damage:
        flat_yaml(text)
    assert "\n" not in str(damage.value)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "nan", "\udcff", '{"a": 1}x'])
def test_broken_json_is_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / "f").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Damaged):
        read_json(tmp_path / "f")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(Damaged, match="larger than 4 MiB"):
        read_json(tmp_path / "f")


def test_columns_leave_out_a_line_that_is_being_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("epoch,loss\n1,0.5\n2,nan\n3,\n4")
    assert read_columns(tmp_path / "f") == {"epoch": [1, 2, 3], "loss": [0.5, None, None]}
    (tmp_path / "f").write_text("epoch,loss\n1,2,3\n2,0.4\n")
    with pytest.raises(Damaged, match="line 2 has 3 cells, the header 2"):
        read_columns(tmp_path / "f")


def test_nan_of_two_runs_is_one_value_to_sets_and_to_keys() -> None:
    read = [flat_yaml(f"scale: .nan\nseed: {seed}\n")["scale"] for seed in range(2)]
    read.append(flatten({"scale": float("nan")})["scale"])
    assert len(set(read)) == len({("scale", value) for value in read}) == 1
