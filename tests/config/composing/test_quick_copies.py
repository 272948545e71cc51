"""Quick copies of configs equal OmegaConf's own in every part, and share none of them."""

import copy
from enum import Enum
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, ListConfig, Node, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.quick_copies import CONTAINERS, VALUES, quick_copies
from tests.contracts import breaks


class Colour(Enum):
    RED = 1


PLAIN: list[Any] = [
    {"a": 1, "b": 2.5, "c": "text", "d": True, "e": None, "f": "???", "g": b"bytes"},
    {"a": {"b": [1, {"c": [None, "x", ["y"]]}]}, 3: "int key", Colour.RED: Colour.RED},
    {"a": 1, "b": "${a}", "c": {"d": "${..b}", "e": "${oc.env:HOME}"}, "l": ["${a}", "???"]},
    ["a", ["b"], {"c": "d"}],
]


def configs() -> dict[str, Any]:
    found: dict[str, Any] = {f"plain {k}": OmegaConf.create(plain) for k, plain in enumerate(PLAIN)}
    with initialize_config_dir(str(CONF_DIR)):
        for word in ("model=simple", "search=sgd", "experiment=fashion_lenet"):
            found[word] = compose("config", [word], return_hydra_config=True)
    flags = OmegaConf.create({"a": {"b": 1}})
    OmegaConf.set_readonly(flags.a, True)
    OmegaConf.set_struct(flags, True)
    found["flags"] = flags
    found["read once"] = OmegaConf.create({"a": {"b": 1}})
    assert OmegaConf.is_readonly(found["read once"].a) is None  # which fills a cache
    found["nothing"], found["missing"] = DictConfig(None), DictConfig("???")
    found["a part"] = found["model=simple"].hydra.job
    return found


def parts(node: Any) -> Any:
    """All that a node is made of, but for its parent."""
    if not isinstance(node, Node):
        return type(node), node
    mine = {key: value for key, value in node.__dict__.items() if key != "_parent"}
    mine["_metadata"] = dict(mine["_metadata"].__dict__)
    content = mine.pop("_content", None)
    if isinstance(content, dict):
        content = [(type(key), key, parts(child)) for key, child in content.items()]
    elif isinstance(content, list):
        content = [parts(child) for child in content]
    return type(node), mine, content


def nodes(node: Any) -> list[Any]:
    content = node.__dict__.get("_content")
    below = content.values() if isinstance(content, dict) else content
    listed = [] if isinstance(content, str) or below is None else list(below)
    return [node, *(one for child in listed for one in nodes(child))]


@breaks("quick_copies: the configs of a sweep's jobs")
def test_a_copy_is_omegaconfs_own_in_every_part() -> None:
    for config in configs().values():
        check_copy(config)


def check_copy(config: Any) -> None:
    own = copy.deepcopy(config)
    with quick_copies():
        quick = copy.deepcopy(config)
    assert parts(quick) == parts(own)
    assert quick._get_parent() is own._get_parent()
    assert OmegaConf.to_yaml(quick) == OmegaConf.to_yaml(config)
    for before, after in zip(nodes(config), nodes(quick), strict=True):
        assert before is not after
        assert before._metadata is not after._metadata
        assert before._metadata.flags is not after._metadata.flags or before._metadata.flags is None
        assert before._metadata.resolver_cache is not after._metadata.resolver_cache
    inner = [one for node in nodes(quick) for one in nodes(node)[1:]]
    mine = set(map(id, nodes(quick)))
    assert all(id(one._get_parent()) in mine for one in inner)


@breaks("quick_copies: a copy that is changed leaves the config as it was")
def test_a_changed_copy_changes_nothing_else() -> None:
    config = OmegaConf.create({"a": {"b": 1, "l": [1, 2]}})
    before = parts(config)
    with quick_copies():
        quick = copy.deepcopy(config)
    quick.a.b, quick.a.l[0], quick.a.new = 2, 3, 4
    OmegaConf.set_readonly(quick, True)
    assert OmegaConf.to_container(config) == {"a": {"b": 1, "l": [1, 2]}}
    assert OmegaConf.is_readonly(config) is None
    assert parts(config)[1]["_metadata"] == before[1]["_metadata"]


def test_after_the_block_omegaconf_copies_as_before() -> None:
    before = [kind.__deepcopy__ for kind in (*VALUES, *CONTAINERS)]
    with quick_copies():
        assert DictConfig.__deepcopy__ is not before[-2]
        assert ListConfig.__deepcopy__ is not before[-1]
    assert [kind.__deepcopy__ for kind in (*VALUES, *CONTAINERS)] == before
    with pytest.raises(KeyError), quick_copies():
        raise KeyError
    assert [kind.__deepcopy__ for kind in (*VALUES, *CONTAINERS)] == before
