"""A config that asks for graphs runs where there is no CUDA device as well, and says so."""

from pathlib import Path

from tests.command import QUICK, cnnsweep, succeeded
from tests.run_files import assert_same


def test_on_a_cpu_steps_are_trained_one_by_one_and_one_line_says_so(tmp_path: Path) -> None:
    words = (*QUICK, "device=cpu")
    said = succeeded(cnnsweep(*words, "graph=true", "hydra.run.dir=asked", cwd=tmp_path))
    succeeded(cnnsweep(*words, "hydra.run.dir=plain", cwd=tmp_path))
    line = "graph=true needs a CUDA device: on cpu steps are trained one by one"
    assert said.count(line) == 1
    assert (tmp_path / "asked/cnnsweep.log").read_text().count(line) == 1
    assert_same(tmp_path / "asked", tmp_path / "plain")
