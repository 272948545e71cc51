"""Lines for a shell that name the folder of a run or sweep."""

import shlex
import sys
from pathlib import Path

from cnnsweep.config.command_words import options_and_others
from cnnsweep.config.composing.late_keys import as_typed_words
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.typed_words import path_word
from cnnsweep.redact import masked_word

RUN_DIR, SWEEP_DIR = "hydra.run.dir", "hydra.sweep.dir"
FROM = "from"


def folder_word(key: str, folder: Path) -> str:
    """``key=folder`` as a person here would type it, before a shell's own quotes."""
    return path_word(key, str(RunFolder(folder)))


def resume_command(folder: Path) -> str:
    """This command again, for a folder that it left unfinished.

    What ``from`` has put among the words is recorded there: they are left out.
    """
    typed = as_typed_words(sys.argv[1:])
    words = [masked_word(word) for word in typed if not word.startswith("resume=")]
    if any(word.lstrip("+").startswith(f"{FROM}=") for word in words):
        words = options_and_others(words)[0]
    if not any(word.startswith((RUN_DIR, SWEEP_DIR)) for word in words):
        words.append(folder_word("resume", folder))
    return shlex.join(["python", "-m", "cnnsweep", *words])
