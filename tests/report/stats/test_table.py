"""Conditions on runs, and clear refusals."""

from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.metric import choose_metric
from cnnsweep.report.stats.table import check_column, select
from tests.report.made_runs import Job, make_run


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("runs")
    for number, (model, rate) in enumerate([("simple", 0.1), ("resnet", 0.1), ("resnet", 0.01)]):
        make_run(top / str(number), Job(model, number, changes={"optim.lr": rate}))
    make_run(top / "3", Job("lenet", status="failed", error="boom"))
    return top


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (["model=resnet"], "12"),
        (["model==resnet"], "12"),
        (["model=resnet,simple"], "012"),
        (["model!=resnet"], "03"),
        (["optim.lr<0.1"], "23"),
        (["optim.lr = 1e-1"], "01"),
        (["optim.lr>=0.1", "model=resnet"], "1"),
        (["seed>0"], "12"),
        (["status=failed"], "3"),
        (["test_accuracy>0.5"], "012"),
        (["grad_clip=null"], "0123"),
        (["test=true"], "0123"),
    ],
)
def test_conditions_choose_runs(top: Path, conditions: list[str], expected: str) -> None:
    chosen = select(gather([top]).runs, conditions)
    assert "".join(run.folder.name for run in chosen) == expected


@pytest.mark.parametrize(
    ("condition", "error_line"),
    [
        ("optim.le=1", "unknown column in --where 'optim.le'. Did you mean 'optim.lr'"),
        ("model", "'model' is no condition: allowed are KEY=VALUE"),
        ("model=vgg", "no run fits --where 'model=vgg'"),
        ("optim.lr<low", "a number is needed after <"),
    ],
)
def test_bad_conditions_get_one_line(top: Path, condition: str, error_line: str) -> None:
    with pytest.raises(UserError) as refused:
        select(gather([top]).runs, [condition])
    assert error_line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_column_names_the_ones_that_differ(top: Path) -> None:
    with pytest.raises(UserError, match=r"these differ: model, data, seed, optim.lr"):
        check_column(gather([top]).runs, "zzz", "column in --by")


def test_the_metric_is_test_accuracy_where_present_else_validation(top: Path) -> None:
    runs = gather([top]).runs
    assert choose_metric(runs, None).name == "test_accuracy"
    assert choose_metric(runs[3:], None).name == "val_accuracy"
    assert not choose_metric(runs, "val_loss").maximize
    assert choose_metric(runs, "images_per_second").maximize
    with pytest.raises(UserError, match=r"unknown metric 'test_acuracy'. Did you mean 'test_accu"):
        choose_metric(runs, "test_acuracy")
