"""Which checkpoints a finished run keeps."""

import shutil
from pathlib import Path

from tests.command import TINY, cnnsweep, succeeded


def test_checkpoints_that_a_killed_run_could_not_drop_any_more_go_when_it_is_found_finished(
    tiny_run: Path, tmp_path: Path
) -> None:
    for keep, left in (("best", ["best.pt"]), ("none", [])):
        folder = tmp_path / keep
        shutil.copytree(tiny_run, folder)
        config = (folder / "config.yaml").read_text()
        assert "keep: all\n" in config
        (folder / "config.yaml").write_text(config.replace("keep: all\n", f"keep: {keep}\n"))
        arguments = (*TINY, f"keep={keep}", f"hydra.run.dir={keep}")
        assert "already finished" in succeeded(cnnsweep(*arguments, cwd=tmp_path))
        assert [path.name for path in folder.glob("*.pt")] == left
