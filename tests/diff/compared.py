"""``python -m cnnsweep.diff`` in a test, and what its JSON says."""

import contextlib
import io
import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from cnnsweep.diff.__main__ import main
from tests.command import cnnsweep

SCHEMA = files("cnnsweep.diff") / "diff.schema.json"


def diff(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, to its end."""
    return cnnsweep(*map(str, words), cwd=cwd, module="cnnsweep.diff")


def printed(*words: str | Path, cwd: Path) -> str:
    """What the command prints in a folder, called in this process; it must work."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main([*map(str, words)])
    assert (code, err.getvalue()) == (0, "")
    return out.getvalue()


def compared(a: Path, b: Path, *words: str, cwd: Path | None = None) -> dict[str, Any]:
    """What ``--format json`` prints: it must fit the schema, and nothing else may be printed."""
    content: dict[str, Any] = json.loads(
        printed(a, b, "--format", "json", *words, cwd=cwd or a.parent)
    )
    jsonschema.validate(content, json.loads(SCHEMA.read_text("utf-8")))
    return content
