"""What is written of a comparison: Markdown, JSON, pictures."""

import json
from collections.abc import Sequence
from pathlib import Path

from cnnsweep.diff.curves import curves, images_picture
from cnnsweep.diff.images import Images
from cnnsweep.diff.runs import RunDiff
from cnnsweep.diff.sweeps import SweepDiff
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import write_text_whole, write_whole
from cnnsweep.report.output.text_files import block_md
from cnnsweep.report.read.escape import markdown
from cnnsweep.report.read.predictions import PredictionFiles

SCHEMA_VERSION = 1
_MOST_NOTES = 20
_CURVES, _IMAGES = "diff_curves.png", "diff_images.png"
AnyDiff = RunDiff | SweepDiff


def as_json(found: AnyDiff) -> str:
    """The comparison as JSON, as diff.schema.json beside this file describes it."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "kind": "runs" if isinstance(found, RunDiff) else "sweeps",
        "different": found.is_different,
        **found.as_plain(),
        "problems": found.problems,
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def header(found: AnyDiff) -> list[str]:
    """Which folders are compared, and what is to be known of them."""
    return [f"A: {found.a.folder}", f"B: {found.b.folder}", *found.a.said, *found.b.said]


def notes(found: AnyDiff) -> list[str]:
    """Notes on what was averaged, and what could not be read."""
    said = [] if isinstance(found, RunDiff) else [f"note: {n}" for n in found.groups.notes]
    lines = [*said, *(f"not read: {problem}" for problem in found.problems)]
    more = len(lines) - _MOST_NOTES
    return [*lines[:_MOST_NOTES], *([f"… and {more} more of these"] if more > 0 else [])]


def write_files(found: AnyDiff, out: Path, formats: Sequence[str], images: Path | None) -> None:
    """Write the files below ``out``, each whole; those of other formats stay as they are.

    Args:
        found: the comparison.
        out: a folder, which is made where it isn't there.
        formats: ``md``, ``json``, ``png``.
        images: ``data.root``, to draw the images they disagree on; None: where A's config says.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        pictures = _pictures(found, images) if "png" in formats else {}
        for name, content in pictures.items():
            write_whole(out / name, content)
        if "png" in formats:  # a picture of an earlier call would be of other runs
            for name in {_CURVES, _IMAGES} - pictures.keys():
                (out / name).unlink(missing_ok=True)
        if "md" in formats:
            write_text_whole(out / "diff.md", _markdown(found, [*pictures]))
        if "json" in formats:
            write_text_whole(out / "diff.json", as_json(found))
    except OSError as error:
        said = f"cannot write {error.filename}: {error.strerror}; choose another --out"
        raise UserError(said) from error


def _markdown(found: AnyDiff, pictures: Sequence[str]) -> str:
    lines = ["# A and B side by side", "", *(f"- {markdown(line)}" for line in header(found)), ""]
    for block in found.blocks():
        lines += block_md(block)
    for name in pictures:
        lines += [f"![{markdown(name)}]({name})", ""]
    listed = [f"- {markdown(line)}" for line in notes(found)]
    lines += ["## Notes", "", *listed] if listed else []
    return "\n".join(lines).rstrip() + "\n"


def _pictures(found: AnyDiff, root: Path | None) -> dict[str, bytes]:
    """By file name; of sweeps there are none."""
    if isinstance(found, SweepDiff):
        return {}
    # Imported here: matplotlib takes most of a second, and text does without.
    from cnnsweep.report.charts.matplotlib_backend import side_by_side

    drawn: dict[str, bytes] = {}
    if charts := curves(found.a, found.b):
        drawn[_CURVES] = side_by_side(charts, "png")
    if isinstance(found.images, Images) and (few := found.images.few()):
        known = _addresses(found, [image.index for image in few], root)
        if shown := [image for image in few if image.index in known]:
            drawn[_IMAGES] = images_picture(shown, known)
    return drawn


def _addresses(found: RunDiff, indices: Sequence[int], root: Path | None) -> dict[int, str]:
    """The images themselves, where it is certain that they are those that the runs saw."""
    from cnnsweep.report.read.pictures import pictures

    run = found.a.run
    seen = PredictionFiles([]).get(run)
    return {} if seen is None else pictures(run, seen, indices, root)[0]
