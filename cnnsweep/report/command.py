"""From arguments to a terminal answer and a report folder."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from cnnsweep.bad_input import BadInput
from cnnsweep.report.answer import Answer, answer
from cnnsweep.report.arguments import Arguments
from cnnsweep.report.cache import FILE as CACHE
from cnnsweep.report.gather import gather, roots
from cnnsweep.report.question import DEFAULT_FORMATS, Question
from cnnsweep.report.terminal import show
from cnnsweep.report.text_files import report_md, report_tex, runs_csv, summary_csv
from cnnsweep.run_folder import write_text_whole


def report(arguments: Arguments) -> None:
    """Print the answer, then write the files that were asked for."""
    console = _console()
    folders = roots(arguments.folders)
    out = arguments.out or _default_out(arguments.folders)
    cache = out / CACHE if arguments.formats else None
    found = _gathered(folders, cache, arguments.question)
    show(found, console)
    if arguments.formats:
        written = write_files(found, out, arguments.formats)
        console.print(f"written: {written}", markup=False, soft_wrap=True)


def write_report(folder: Path) -> Path:
    """The files of the default formats in ``<folder>/report``; the path of the page."""
    out = folder / "report"
    write_files(_gathered(roots([folder]), out / CACHE, Question()), out, DEFAULT_FORMATS)
    return out / "index.html"


def _gathered(folders: list[Path], cache: Path | None, question: Question) -> Answer:
    try:
        return answer(gather(folders, cache), question)
    except OSError as error:
        raise _unwritable(error) from error


def _default_out(folders: list[Path]) -> Path:
    return folders[0] / "report" if len(folders) == 1 else Path("report")


def write_files(found: Answer, out: Path, formats: Iterable[str]) -> Path:
    """Write the report; the path of the page, or of the folder where there is none.

    Raises:
        BadInput: the folder cannot be written.
    """
    makers = {"csv": _write_csv, "tex": _write_tex, "md": _write_md}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in formats:
            if name in makers:
                makers[name](found, out)
    except OSError as error:
        raise _unwritable(error) from error
    return out


def _unwritable(error: OSError) -> BadInput:
    return BadInput(f"cannot write {error.filename}: {error.strerror}; choose another --out")


def _write_csv(found: Answer, out: Path) -> None:
    write_text_whole(out / "runs.csv", runs_csv(found))
    write_text_whole(out / "summary.csv", summary_csv(found))


def _write_tex(found: Answer, out: Path) -> None:
    write_text_whole(out / "report.tex", report_tex(found))


def _write_md(found: Answer, out: Path) -> None:
    write_text_whole(out / "report.md", report_md(found, []))


def _console() -> Console:
    """A pipe has no width of its own: wide enough that lines are rarely broken."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)
