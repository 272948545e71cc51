"""Two runs side by side: what differs, in both directions, and what is damaged."""

import csv
import io
import json
import random
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy.stats import binomtest

from cnnsweep.diff.metrics import ONE_EACH
from cnnsweep.folders.recorded_defaults import DEFAULTS
from tests.command import QUICK, REPOSITORY, cnnsweep
from tests.diff.compared import compared, diff, printed
from tests.report.made_runs import Job, make_run
from tests.report.nasty_text import NASTY

RECORDED = REPOSITORY / "tests" / "recorded_6987165"
MIRRORED = {"a": "b", "b": "a", "only_a": "only_b", "only_b": "only_a"}


def edit(run: Path, **fields: Any) -> Path:
    """Change fields of result.json; None takes one away."""
    path = run / "result.json"
    content = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: v for key, v in content.items() if v is not None}))
    return run


def with_accuracy(run: Path) -> Path:
    """Give the run the test accuracy that its test_predictions.csv has."""
    rows = list(csv.DictReader(io.StringIO((run / "test_predictions.csv").read_text())))
    right = sum(row["label"] == row["prediction"] for row in rows)
    return edit(run, test_accuracy=right / len(rows))


def setting(found: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    listed = found["settings"]["different"]
    return next((one for one in listed if one["key"] == key), None)


def metric(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["metrics"]["listed"] if one["name"] == name)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs that were trained: a lenet and a simple network."""
    top = tmp_path_factory.mktemp("trained")
    for name, words in (("a", ()), ("b", ("model=simple", "optim.lr=0.03", "keep=best"))):
        done = cnnsweep(*QUICK, *words, f"hydra.run.dir={name}", cwd=top)
        assert done.returncode == 0, done.stderr
    return top


def test_two_trained_runs_are_told_apart(trained: Path) -> None:
    done = diff("a", "b", "--format", "json", cwd=trained)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found == compared(Path("a"), Path("b"), cwd=trained)
    listed = found["settings"]["different"]
    assert listed[0] == {
        "key": "model", "a": "lenet", "b": "simple", "a_known": "recorded",
        "b_known": "recorded", "choice": True,
    }  # fmt: skip
    assert setting(found, "optim.lr") == {
        "key": "optim.lr", "a": 0.01, "b": 0.03, "a_known": "recorded", "b_known": "recorded",
        "choice": False,
    }  # fmt: skip
    assert setting(found, "model._target_") is None
    assert [one["key"] for one in found["settings"]["without_effect"]] == ["keep"]
    assert found["data"]["same"] is found["data"]["same_validation_images"] is True
    images = found["test_images"]
    both, only_a, only_b = (images[f"{k}_right"] for k in ("both", "only_a", "only_b"))
    accuracy = metric(found, "test_accuracy")
    assert accuracy["a"] == pytest.approx((both + only_a) / images["images"])
    assert accuracy["b"] == pytest.approx((both + only_b) / images["images"])
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert accuracy["mcnemar_p"] == pytest.approx(expected)
    low, high = accuracy["interval_95"]
    assert low < accuracy["b"] - accuracy["a"] < high
    assert ONE_EACH in found["metrics"]["notes"]


def test_the_images_are_those_of_the_files(trained: Path) -> None:
    texts = [(trained / name / "test_predictions.csv").read_text() for name in ("a", "b")]
    a, b = (list(csv.DictReader(io.StringIO(text))) for text in texts)
    listed = compared(trained / "a", trained / "b")["test_images"]["answered_differently"]
    assert [one["index"] for one in listed] == [
        int(left["index"])
        for left, right in zip(a, b, strict=True)
        if left["prediction"] != right["prediction"]
    ]
    for one in listed:
        left, right = a[one["index"]], b[one["index"]]
        assert (one["a"], one["b"]) == (left["prediction_name"], right["prediction_name"])
        assert one["a_confidence"] == pytest.approx(float(left["confidence"]))
        is_right = {"A": one["a"], "B": one["b"]}.get(one["right"])
        assert is_right in (None, one["label"])


def test_a_run_and_itself_differ_in_nothing(trained: Path) -> None:
    found = compared(trained / "a", trained / "a")
    assert not found["different"]
    assert found["settings"] == {"different": [], "without_effect": []}
    assert found["test_images"]["answered_differently"] == []
    assert all(one["difference"] in (0, None) for one in found["metrics"]["listed"])
    assert metric(found, "test_accuracy")["mcnemar_p"] == 1
    said = diff("a", "a", "--exit-code", cwd=trained)
    assert said.returncode == 0
    for part in ("Settings: no difference.", "Data: the same.", "Environment: no difference."):
        assert part in said.stdout.splitlines()
    assert diff("a", "b", "--exit-code", cwd=trained).returncode == 1
    assert diff("a", "b", cwd=trained).returncode == 0


def mirrored(found: Any) -> Any:
    """The same comparison of B with A."""
    if isinstance(found, list):
        return [mirrored(item) for item in found]
    if not isinstance(found, dict):
        return {"A": "B", "B": "A"}.get(found, found) if isinstance(found, str) else found
    turned = {_other(key): mirrored(value) for key, value in found.items()}
    if found.get("difference"):
        turned["difference"] = -found["difference"]
    if found.get("interval_95"):
        turned["interval_95"] = [-end for end in reversed(found["interval_95"])]
    return turned


def _other(key: str) -> str:
    swapped = {"only_a_right": "only_b_right", "only_b_right": "only_a_right"}
    sides = {"a_known": "b_known", "b_known": "a_known", "a_confidence": "b_confidence",
             "b_confidence": "a_confidence"}  # fmt: skip
    return (MIRRORED | swapped | sides).get(key, key)


def _settled(found: Any) -> Any:
    """Without the order of lists, and with rounded numbers."""
    if isinstance(found, dict):
        return {key: _settled(value) for key, value in found.items()}
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return sorted((_settled(item) for item in found), key=lambda item: json.dumps(item))
    if isinstance(found, list):
        return [_settled(item) for item in found]
    return round(found, 9) + 0.0 if isinstance(found, float) else found


@pytest.mark.parametrize("number", range(6))
def test_b_and_a_are_the_mirror_of_a_and_b(number: int, tmp_path: Path) -> None:
    rng = random.Random(number)
    for name in ("a", "b"):
        job = Job(
            rng.choice(["simple", "resnet"]),
            rng.randrange(3),
            epochs=rng.randrange(1, 4),
            status=rng.choice(["completed", "completed", "failed", "unfinished"]),
            changes={
                "optim.lr": rng.choice([0.1, 0.01]),
                "data.train_limit": rng.choice([None, 9]),
            },
            images=rng.choice([0, 200]),
        )
        run = make_run(tmp_path / name, job)
        if job.status == "completed" and job.images:
            with_accuracy(run)
    there, back = (compared(tmp_path / x, tmp_path / y) for x, y in (("a", "b"), ("b", "a")))
    for found in (there, back):
        for part in ("metrics", "data"):
            found[part].pop("notes", None)
        for side in ("a", "b"):
            found[side].pop("notes")
        for one in found["metrics"]["listed"]:
            one.pop("rests_on")  # 20 and 30 images, or 30 and 20
    assert _settled(mirrored(there)) == _settled(back)


def test_what_older_code_did_counts_as_its_setting(tmp_path: Path) -> None:
    """A key with an old default, left out of A and the same or another in B."""
    a = make_run(tmp_path / "a", Job())
    for name, graph in (("same", False), ("other", True)):
        run = make_run(tmp_path / name, Job())
        content = yaml.safe_load((run / "config.yaml").read_text()) | {"graph": graph}
        (run / "config.yaml").write_text(yaml.safe_dump(content))
    assert DEFAULTS["graph"].value is False
    assert setting(compared(a, tmp_path / "same"), "graph") is None
    found = setting(compared(a, tmp_path / "other"), "graph")
    assert found is not None
    assert (found["a"], found["a_known"], found["b"]) == (False, "old default", True)


def test_other_data_are_said_and_never_compared_image_by_image(tmp_path: Path) -> None:
    record = {"classes": ["0", "1"], "train": 90, "val": None, "test": 200, "shape": [1, 8, 8]}
    a, b = (with_accuracy(make_run(tmp_path / n, Job(n, images=200))) for n in ("simple", "resnet"))
    edit(a, data={**record, "hash": "a" * 32})
    edit(b, data={**record, "hash": "b" * 32, "train": 95})
    for run, changed in ((a, "1"), (b, "2")):
        (run / "data.csv").write_text(f"file,part,hash\nx.png,train,0\ny.png,train,{changed}\n")
    found = compared(a, b)
    assert found["data"]["same"] is False
    assert found["data"]["differences"] == [
        "5 images more to train on (90 → 95)", "files changed: y.png",
    ]  # fmt: skip
    assert found["test_images"] is None
    accuracy = metric(found, "test_accuracy")
    assert accuracy["mcnemar_p"] is None
    assert accuracy["rests_on"].startswith("200 test images")


def test_answers_that_do_not_fit_the_recorded_accuracy_do_not_count(tmp_path: Path) -> None:
    a, b = (with_accuracy(make_run(tmp_path / n, Job(n, images=200))) for n in ("simple", "resnet"))
    edit(b, test_accuracy=0.5)
    found = compared(a, b)
    assert metric(found, "test_accuracy")["mcnemar_p"] is None
    assert any("do not fit" in note for note in found["metrics"]["notes"])


@pytest.mark.parametrize("name", ["config.yaml", "result.json", "metrics.csv",
                                  "test_predictions.csv", "data.csv", "code.patch"])  # fmt: skip
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"{", b"a,b\n1\n2,3\n", b"[1, 2]"])
def test_a_damaged_file_costs_a_line_and_nothing_else(
    name: str, content: bytes, tmp_path: Path
) -> None:
    whole = with_accuracy(make_run(tmp_path / "whole", Job(images=50)))
    damaged = with_accuracy(make_run(tmp_path / "damaged", Job(images=50)))
    (damaged / name).write_bytes(content)
    for pair in ((whole, damaged), (damaged, whole), (damaged, damaged)):
        compared(*pair)
        assert printed(*pair, cwd=tmp_path).startswith("A: ")


@pytest.mark.parametrize("names", [NASTY[::2], NASTY[1::2]])
def test_hostile_text_is_made_harmless(names: tuple[str, ...], tmp_path: Path) -> None:
    a = with_accuracy(make_run(tmp_path / "a", Job("simple", images=40)))
    b = with_accuracy(make_run(tmp_path / "b", Job("resnet", images=40)))
    text = "".join(names)
    edit(b, commit=text, versions={"torch": text}, device=text, error=text)
    path = b / "config.yaml"
    content = yaml.safe_load(path.read_text())
    content["optim"] |= {f"key{number}": name for number, name in enumerate(names)}
    path.write_text(yaml.safe_dump(content))
    table = io.StringIO()
    rows = list(csv.reader(io.StringIO((b / "test_predictions.csv").read_text())))
    header = [*rows[0], "label_name", "prediction_name", "file"]
    csv.writer(table).writerows([header, *([*row, text, text, text] for row in rows[1:])])
    (b / "test_predictions.csv").write_text(table.getvalue())
    (b / "code.patch").write_text(f"{text}\n```\n~~~\n`````\n<b>\n")
    compared(a, b)
    done = diff(a, b, "--out", "files", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    written = (tmp_path / "files" / "diff.md").read_text()
    for shown in (done.stdout, written):
        assert all(c == "\n" or c.isprintable() for c in shown)
    assert [line for line in outside_fences(written) if re.search(r"(?<!\\)[<\[`]", line)] == [
        r"![diff\_curves.png](diff_curves.png)"
    ]


def outside_fences(text: str) -> Iterator[str]:
    """The lines of a Markdown text that are no code, as CommonMark has it."""
    fence = ""
    for line in text.splitlines():
        ticks = re.match("`{3,}", line)
        if fence:
            fence = "" if line.strip("`") == "" and len(line) >= len(fence) else fence
        elif ticks:
            fence = ticks[0]
        else:
            yield line


def test_old_runs_and_those_of_other_apps_are_compared(tmp_path: Path) -> None:
    found = compared(RECORDED / "run", RECORDED / "grid" / "0", cwd=tmp_path)
    assert found["data"]["same"] is None
    assert metric(found, "test_accuracy")["mcnemar_p"] is not None
    other = tmp_path / "other"
    (other / ".hydra").mkdir(parents=True)
    (other / ".hydra" / "config.yaml").write_text("lr: .inf\nnet: {width: 3}\n")
    (other / "metrics.csv").write_text("epoch,val/acc\n0,0.5\n1,0.75\n")
    again = shutil.copytree(other, tmp_path / "again")
    (again / ".hydra" / "config.yaml").write_text("lr: 0.1\nnet: {width: 3}\n")
    found = compared(other, again)
    assert found["settings"]["different"] == [
        {"key": "lr", "a": "inf", "b": 0.1, "a_known": "recorded", "b_known": "recorded",
         "choice": False},
    ]  # fmt: skip
    assert metric(found, "val/acc")["difference"] == 0
    assert found["code"]["same"] is None
    compared(other, RECORDED / "unfinished_run")


def test_bad_input_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    make_run(tmp_path / "a", Job())
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for words, part in [
        (["a", "nowhere"], "nowhere is no such folder"),
        (["a", "file"], "not a folder"),
        (["empty", "a"], "holds neither a run nor a sweep"),
        (["a"], "required: B"),
        (["a", "a", "--format", "pdf"], "unknown --format 'pdf'"),
        (["a", "a", "--images", "nowhere"], "no such folder"),
        (["a", "a", "--out", "file"], "cannot write"),
        (["a", "a", "--frmat", "md"], "Did you mean --format?"),
    ]:
        done = diff(*words, cwd=tmp_path)
        assert done.returncode == 1, words
        assert part in done.stderr
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"a", "empty", "file"}


def test_every_format_is_written_whole(trained: Path, tmp_path: Path) -> None:
    a, b = trained / "a", trained / "b"
    assert diff(a, b, cwd=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []
    names = {"md": {"diff.md"}, "json": {"diff.json"}}
    names["png"] = {"diff_curves.png", "diff_images.png"}  # the digits are embedded
    for formats in (["md"], ["png", "md"], [*names]):
        out = tmp_path / "_".join(formats)
        done = diff(a, b, "--format", ",".join(formats), "--out", out, cwd=tmp_path)
        assert f"written: {out}" in done.stdout
        assert {path.name for path in out.iterdir()} == set().union(
            *(names[kind] for kind in formats)
        )
    assert json.loads((tmp_path / "md_json_png" / "diff.json").read_text()) == compared(a, b)
    picture = (tmp_path / "png_md" / "diff_curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert "diff_curves.png" in (tmp_path / "png_md" / "diff.md").read_text()
    (tmp_path / "png_md" / "own.txt").write_text("kept")
    diff(a, b, "--format", "all", cwd=tmp_path / "png_md")
    assert {p.name for p in (tmp_path / "png_md" / "diff").iterdir()} == set().union(
        *names.values()
    )


def test_what_a_table_says_of_itself_is_printed_once(trained: Path) -> None:
    done = diff("a", "b", cwd=trained)
    assert done.stdout.count("more are in the JSON") == 1
