"""YAML as plain values: what PyYAML's own loader makes of it."""

import pytest
import yaml

from cnnsweep.config import CONF_DIR, plain_yaml

FILES = sorted(CONF_DIR.rglob("*.yaml"))


def test_our_files_say_what_they_say_to_pyyaml() -> None:
    assert len(FILES) > 50
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert plain_yaml(text) == yaml.safe_load(text), file


@pytest.mark.parametrize("text", ["", "1e-4", "1e4", "0x1f", "yes", "null", "2001-01-01", "[1, a]"])
def test_scalars_are_those_of_pyyaml(text: str) -> None:
    assert repr(plain_yaml(text)) == repr(yaml.safe_load(text))


def test_what_is_no_yaml_is_refused_as_by_pyyaml() -> None:
    with pytest.raises(yaml.YAMLError):
        plain_yaml("a: [")
