"""What searches drew is shown, also below a group whose options differ, and nothing else is."""

import json
import random
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.output.json_answer import as_json
from cnnsweep.report.output.page import page
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.drawn_keys import varied_keys
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_spaces import set_objective

SCHEMA = json.loads((files("cnnsweep.report.output") / "report.schema.json").read_text("utf-8"))
WHEN_SGD = {"optim": "sgd"}
SPACE = {
    "optim": "sgd, adam",
    "optim.lr": "tag(log, interval(1e-4, 1))",
    "optim.momentum": {"space": "interval(0, 0.99)", "when": WHEN_SGD},
    "model.dropout": {"space": "choice(0.1, 0.3)", "when": {"model": "simple", "optim": "adam"}},
    "loss.label_smoothing": json.dumps({"space": "interval(0, 0.2)", "when": WHEN_SGD}),
}
ACTIVE = {
    "sgd": ("optim", "optim.lr", "optim.momentum", "loss.label_smoothing"),
    "adam": ("optim", "optim.lr", "model.dropout"),
}


def make_conditional(folder: Path, optims: Sequence[str]) -> Path:
    """A search over SPACE whose trials, one for each of ``optims``, set what is active."""
    folder.mkdir(parents=True)
    sweeper = {"n_trials": len(optims), "n_jobs": 1, "params": SPACE}
    (folder / "multirun.yaml").write_text(
        yaml.safe_dump({"hydra": {"sweeper": sweeper}}, sort_keys=False)
    )
    (folder / "optimization_results.yaml").write_text("name: optuna\nbest_params: {}\n")
    draw = random.Random(len(optims))
    for number, optim in enumerate(optims):
        values = {key: round(draw.uniform(0.01, 0.2), 4) for key in ACTIVE[optim][1:]}
        run = make_run(folder / str(number), Job(changes=values, test=False, mode="MULTIRUN"))
        words = [f"optim={optim}", *(f"{key}={value}" for key, value in values.items())]
        (run / ".hydra/overrides.yaml").write_text(yaml.safe_dump(words))
        hydra = run / ".hydra/hydra.yaml"
        hydra.write_text(hydra.read_text().replace("optim: sgd", f"optim: {optim}"))
        set_objective(run, 0.5)
    return folder


def told(folder: Path) -> Answer:
    return answer(gather([folder]), Question())


@pytest.mark.parametrize("best", range(4))
def test_settings_are_those_that_the_winner_drew(best: int, tmp_path: Path) -> None:
    optims = ["sgd", "adam", "sgd", "adam"]
    sweep = make_conditional(tmp_path / "s", optims)
    set_objective(sweep / str(best), 0.9)
    found = told(sweep)
    (winner,) = found.winners
    assert [word.partition("=")[0] for word in winner.settings] == [
        key for key in SPACE if key in ACTIVE[optims[best]]
    ]
    written = as_json(found)
    Draft202012Validator(SCHEMA).validate(written)
    assert {*written["winners"][0]["settings"]} == {*ACTIVE[optims[best]]}


def test_what_was_drawn_is_a_column_also_where_its_group_differs(tmp_path: Path) -> None:
    sweep = make_conditional(tmp_path / "s", ["sgd", "adam", "sgd"])
    found = told(sweep)
    text = page(found, [], tmp_path, [])
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    shown = {data["columns"][place] for place in data["shown"]}
    assert shown >= {*SPACE}
    (best,) = (block for block in answer_blocks(found) if block.title == "Best runs")
    assert [*best.columns][4:7] == ["optim", "optim.lr", "optim.momentum"]


def test_without_a_search_a_groups_own_keys_are_its_options(tmp_path: Path) -> None:
    sweep = make_conditional(tmp_path / "s", ["sgd", "adam", "sgd"])
    gathered = gather([sweep])
    assert {"optim.lr", "optim.momentum"} <= {*varied_keys(gathered.sweeps, gathered.runs[:2])}
    once = gathered.runs[:2]
    assert not {"optim.lr", "optim.momentum"} & {*varied_keys([], once)}
    assert "optim.lr" not in varied_keys(gathered.sweeps, gathered.runs, ["optim.lr"])
