"""A target that cannot be made is told in one line."""

from pathlib import Path

import pytest

from cnnsweep.config.instantiate import parameters_of
from cnnsweep.errors import UserError


@pytest.mark.parametrize(
    ("name", "hint"), [("MyNett", ". Did you mean near_pkg.MyNet?"), ("Zebra", "")]
)
def test_a_name_that_a_module_lacks_is_told_with_the_nearest(
    name: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "near_pkg.py").write_text("NUMBER = 3\n\n\nclass MyNet:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError) as refused:
        parameters_of("model", f"near_pkg.{name}")
    line = f"model._target_=near_pkg.{name} cannot be made: near_pkg has no {name}{hint}"
    assert str(refused.value) == line
