"""Old records and present configs are compared as the present code would have recorded them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError
from cnnsweep.folders import recorded_defaults
from cnnsweep.folders.recorded_defaults import DEFAULTS, RENAMED, OldDefault, completed
from cnnsweep.folders.run_folder import RunFolder, differing_keys
from cnnsweep.task.task import refuse_other_config
from tests.folders.conf_keys import keys_by_option

RECORDED: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "keys_6987165.json").read_text()
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0.5,
    -3,
    7,
    "relu",
    "1e-3",
    [4, 8],
    [],
    [None],
    "",
    "${seed}",
)
OTHER = "a value of no old code"


def made_config(draw: random.Random, depth: int = 3) -> dict[str, Any]:
    return {
        f"key{number}": made_config(draw, depth - 1)
        if depth and draw.random() < 0.4
        else draw.choice(VALUES)
        for number in range(draw.randint(0, 4))
    }


def groups(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        config,
        *(g for value in config.values() if isinstance(value, dict) for g in groups(value)),
    ]


def with_new_keys(
    draw: random.Random, old: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config with one to five keys more, at any depth, and these keys' values by dotted key."""
    new: dict[str, Any] = json.loads(json.dumps(old))
    for number in range(draw.randint(1, 5)):
        group = draw.choice(groups(new))
        value: Any = draw.choice(VALUES)
        group[f"new{number}"] = {"below": value} if draw.random() < 0.3 else value
    return new, {key: value for key, value in leaves(new) if "new" in key}


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(config))
    *path, last = key.split(".")
    node = copy
    for part in path:
        node = node[part]
    node[last] = value
    return copy


@pytest.mark.parametrize("seed", range(200))
def test_an_old_record_is_the_new_config_where_new_keys_do_what_old_code_did(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(seed)
    old = made_config(draw)
    new, added = with_new_keys(draw, old)
    lines = {key: OldDefault(value, since="test") for key, value in added.items()}
    elsewhere = {"another.key": OldDefault(1, since="test")}
    monkeypatch.setattr(recorded_defaults, "DEFAULTS", lines | elsewhere)
    assert differing_keys(old, new) == []
    assert differing_keys(new, new) == []
    for key in added:
        assert differing_keys(old, changed(new, key, OTHER)) == [key]
    without = draw.choice(list(added))
    monkeypatch.delitem(lines, without)
    monkeypatch.setattr(recorded_defaults, "DEFAULTS", lines)
    assert without in differing_keys(old, new)


def test_a_new_key_without_a_line_is_refused_by_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_config({"model": {"hidden": 4}})
    with pytest.raises(UserError, match=r"these keys differ: model\.stem\."):
        refuse_other_config(folder, {"model": {"hidden": 4, "stem": 3}})


def test_a_line_counts_only_where_the_present_config_has_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(DEFAULTS, "model.stem", OldDefault(3, since="test"))
    assert completed({"model": {"hidden": 4}}, {"model": {"hidden": 4}}) == {"model.hidden": 4}
    part = completed({"hidden": 4}, {"hidden": 4, "stem": 3}, place="model")
    assert part == {"hidden": 4, "stem": 3}


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_target_that_has_moved_is_the_same(old: str, new: str) -> None:
    def config(target: str) -> dict[str, Any]:
        return {"a": {"_target_": target, "parts": [{"_target_": target}]}}

    assert differing_keys(config(old), config(new)) == []
    assert differing_keys(config(old), config("elsewhere.Thing")) == ["a._target_", "a.parts"]


def test_every_key_of_conf_is_recorded_or_has_a_line() -> None:
    """Options that are new since have no old records, and need no lines."""
    groups = dict.fromkeys(option.partition("=")[0] for option in RECORDED if option)
    present = keys_by_option(groups)
    gone = RECORDED.keys() - present.keys()
    assert not gone, f"{gone} are in old folders, which have to stay usable"
    new = {key for option in RECORDED for key in present[option] - {*RECORDED[option], *DEFAULTS}}
    assert not new, (
        f"{', '.join(sorted(new))}: add a line to recorded_defaults.DEFAULTS (the value with which "
        "the key does what the code before it did): without it, nobody can go on with old folders"
    )
