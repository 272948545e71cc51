"""The change from the former run's files to the longer one's, killed after each step."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnsweep.folders import longer
from cnnsweep.folders.run_folder import LENGTHENED, LONGER, RunFolder

COMMON = ("config.yaml", "result.json", "metrics.csv", "best.pt", "last.pt", "cnnsweep.log")
ONLY_BEFORE = ("curves.png", "code.1.patch")
ONLY_AFTER = ("confusion.png", "own/figure.txt", ".hydra/config.yaml")


class Killed(BaseException):
    pass


def write(folder: Path, names: tuple[str, ...], epochs: int) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"epochs": epochs, "status": "completed", "lengthened": [{"epochs": 1}]}
        path.write_text(json.dumps(content) if name == "result.json" else str(epochs))


def both(run: Path) -> Path:
    write(run, (*COMMON, *ONLY_BEFORE, "model.onnx"), 1)
    write(run / LONGER, (*COMMON, *ONLY_AFTER, ".lock"), 2)
    (run / LONGER / "data.csv").hardlink_to(run / "best.pt")
    return run


def epochs_in(path: Path) -> int | None:
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    return int(content["epochs"] if isinstance(content, dict) else content)


def seen(run: Path) -> set[int | None]:
    """The lengths of all that a reader finds, None for what isn't there."""
    folder = RunFolder(run)
    paths = (folder.config, folder.result, folder.metrics, folder.best, folder.last)
    return {epochs_in(path) for path in paths}


def pictures(run: Path) -> tuple[int | None, int | None]:
    return epochs_in(RunFolder(run).curves), epochs_in(RunFolder(run).confusion)


def assert_longer(run: Path) -> None:
    found = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert found == {*COMMON, *ONLY_AFTER, "data.csv", "model.1_epochs.onnx"}
    assert {epochs_in(run / name) for name in (*COMMON, *ONLY_AFTER)} == {2}
    assert not (run / LENGTHENED).exists()


def test_killed_after_any_step_all_files_are_of_one_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: set[int | None] = set()
    for left in itertools.count():
        run = both(tmp_path / str(left))
        with monkeypatch.context() as context:
            _kill_after(left, context)
            try:
                longer.take_place(run)
            except Killed:
                pass
            else:
                break
        (length,) = seen(run)
        lengths.add(length)
        assert pictures(run) == ((1, None) if length == 1 else (None, 2))
        longer.take_place(run)
        assert_longer(run)
    assert lengths == {1, 2}
    assert left > len(COMMON) + len(ONLY_AFTER)


def _kill_after(left: int, context: pytest.MonkeyPatch) -> None:
    """Raise at the first step after so many steps that change a name on disk."""
    counter = itertools.count()

    def dying(step: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **more: object) -> object:
            if next(counter) >= left:
                raise Killed
            return step(*arguments, **more)

        return wrapped

    for name in ("rename", "replace", "unlink", "touch"):
        context.setattr(Path, name, dying(getattr(Path, name)))
    context.setattr(shutil, "rmtree", dying(shutil.rmtree))


def test_what_is_not_completed_stays(tmp_path: Path) -> None:
    run = both(tmp_path / "run")
    (run / LONGER / "result.json").write_text('{"status": "interrupted"}')
    assert longer.take_place(run) == []
    assert seen(run) == {1}
