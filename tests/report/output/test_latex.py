"""report.tex names the test behind each p-value."""

from pathlib import Path

from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.output.tables import METHOD
from cnnsweep.report.output.text_files import report_tex
from cnnsweep.report.read.escape import latex
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import make_grid


def _tex(folder: Path) -> str:
    return report_tex(answer(gather([folder]), Question()))


def test_p_values_stand_with_the_test_that_they_are_from(tmp_path: Path) -> None:
    make_grid(tmp_path / "g", ["simple", "lenet"], range(4))
    text = _tex(tmp_path / "g")
    assert "(p = " in text
    assert text.count(latex(METHOD)) == 1
    assert text.index("toprule") < text.index(latex(METHOD))
    assert "paired t-test" in text


def test_without_pairs_no_test_is_named(tmp_path: Path) -> None:
    make_grid(tmp_path / "g", ["simple"], range(4))
    assert "t-test" not in _tex(tmp_path / "g")
