"""``~`` is a home folder at the beginning of a path, and nothing anywhere else."""

from pathlib import Path

import pytest

from cnnsweep.folders.run_folder import differing_keys
from cnnsweep.rules import path_with_home, tree_with_home, with_home

HOME = str(Path.home())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("~", HOME),
        ("~/a/b c", f"{HOME}/a/b c"),
        ("sqlite:///~/s.db", f"sqlite:///{HOME}/s.db"),
        ("file://~/conf", f"file://{HOME}/conf"),
        ("a~/b", "a~/b"),
        ("/a/~/b", "/a/~/b"),
        ("~ 5", "~ 5"),
        ("~nobody_of_this_name/a", "~nobody_of_this_name/a"),
        ("", ""),
    ],
)
def test_it_is_expanded_where_a_path_begins(typed: str, meant: str) -> None:
    assert with_home(typed) == meant
    assert path_with_home(typed) == Path(meant)


def test_in_every_text_of_a_tree() -> None:
    assert tree_with_home({"a": ["~/x", 1], "b": {"c": "~"}, "d": None}) == {
        "a": [f"{HOME}/x", 1],
        "b": {"c": HOME},
        "d": None,
    }


def test_a_path_that_older_code_recorded_is_the_same_config() -> None:
    assert differing_keys({"init_from": "~/x.pt"}, {"init_from": f"{HOME}/x.pt"}) == []
