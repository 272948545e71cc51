"""`python -m cnnsweep.predict FOLDER IMAGE ...`: classes and probabilities of image files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnnsweep.config.error_messages import error_line
from cnnsweep.data.pictures.picture_files import LeftOut, pictures_below
from cnnsweep.data.pictures.prepare import MODES, Prepared, Unusable, prepare, quietly
from cnnsweep.errors import UserError, printable
from cnnsweep.folders.not_final import why_not_final
from cnnsweep.folders.run_folder import BEST
from cnnsweep.folders.winner import chosen_run
from cnnsweep.process import postpone_collection
from cnnsweep.rules import path_with_home

if TYPE_CHECKING:
    from cnnsweep.task.load_model import LoadedModel

_SHOWN_CLASSES = 3
_AT_ONCE = 100
_DARK, _LIGHT = 0.4, 0.6  # means of pixels in 0..1


class Prediction(NamedTuple):
    """An image file and its classes with their probabilities (0..1), the likeliest first.

    ``note`` is what a person should know of the picture, or None.
    """

    image: Path
    classes: list[tuple[str, float]]
    note: str | None


class Answers(NamedTuple):
    """Predictions in the order of the images as given, and a line for each one that has none.

    ``notes`` say what was taken, or left out in folders.
    """

    predictions: list[Prediction]
    problems: list[str]
    notes: list[str]


def main() -> None:
    """The command line; exits with 0, or with 1 and a line on each thing to change."""
    parser = argparse.ArgumentParser(prog="python -m cnnsweep.predict", description=__doc__)
    parser.add_argument(
        "folder",
        type=path_with_home,
        help=f"a run folder with a {BEST}, or a sweep's: its winner is asked",
    )
    parser.add_argument(
        "images",
        type=path_with_home,
        nargs="+",
        help="image files of any size, or folders of them",
    )
    parser.add_argument(
        "--invert",
        action="store_true",
        help="swap dark and light first: MNIST-like data are light strokes on a dark ground",
    )
    arguments = parser.parse_args()
    try:
        answers = predict(arguments.folder, arguments.images, invert=arguments.invert)
    except (UserError, OSError) as error:
        sys.exit(error_line(error))
    for prediction in answers.predictions:
        shown = [f"{name} {share:.4f}" for name, share in prediction.classes[:_SHOWN_CLASSES]]
        print(printable(f"{prediction.image}: {', '.join(shown)}"))
    for line in answers.notes:
        print(printable(line), file=sys.stderr)
    for note in dict.fromkeys(prediction.note for prediction in answers.predictions):
        if note is not None:
            about = [str(p.image) for p in answers.predictions if p.note == note]
            print(printable(f"{about[0]}{' …' if len(about) > 1 else ''}: {note}"), file=sys.stderr)
    for problem in answers.problems:
        print(error_line(UserError(problem)), file=sys.stderr)
    sys.exit(1 if answers.problems else 0)


def predict(folder: Path, images: list[Path], *, invert: bool) -> Answers:
    """Classes of image files by a run's best weights, prepared as a folder of images is.

    Args:
        folder: holds config.yaml and best.pt, or a sweep, whose best run is asked.
        images: files of any format Pillow reads, and folders, whose pictures at any depth are
            taken; see `cnnsweep.data.pictures.prepare` for what is done to them. What is missing
            or cannot be read is a problem of its own; all others are answered.
        invert: swap dark and light first.

    Raises:
        UserError: the folder has no weights.
    """
    chosen = chosen_run(folder)
    notes = [] if chosen.said is None else [chosen.said]
    found, problems = _files(images, notes)
    if not found:
        return Answers([], problems, notes)
    import torch

    from cnnsweep.task.load_model import load_model

    trained = load_model(chosen.run)
    if (why := why_not_final(trained.folder)) is not None:
        notes.append(why)
    if trained.in_channels not in MODES:
        raise UserError(
            f"{folder}: its network takes images of {trained.in_channels} channels; image "
            "files have 1 (grey) or 3 (colour)"
        )
    predictions: list[Prediction] = []
    for start in range(0, len(found), _AT_ONCE):
        prepared = _prepared(found[start : start + _AT_ONCE], trained, problems)
        if not prepared:
            continue
        pixels = torch.stack([torch.from_numpy(picture.pixels) for _, picture in prepared])
        pixels = 255 - pixels if invert else pixels
        with torch.inference_mode():
            probabilities = trained.network(pixels).tolist()
        means = (pixels.double().mean(dim=(1, 2, 3)) / 255).tolist()
        predictions += [
            Prediction(
                path,
                sorted(zip(trained.classes, row, strict=True), key=lambda c: -c[1]),
                _note(trained, picture, mean, invert),
            )
            for (path, picture), row, mean in zip(prepared, probabilities, means, strict=True)
        ]
    return Answers(predictions, problems, notes)


def _files(images: list[Path], notes: list[str]) -> tuple[list[Path], list[str]]:
    """The files that are there, those of folders in their places, and a line for each other one."""
    found: list[Path] = []
    problems: list[str] = []
    for path in images:
        if path.is_dir():
            left_out = LeftOut(path)
            try:
                below = pictures_below(path, left_out)
            except UserError as error:
                problems.append(str(error))
                continue
            line = left_out.line()
            if below and line is not None:
                notes.append(f"{path}: {line}")
            elif not below:
                problems.append(f"{path}: a folder without a picture{f' ({line})' if line else ''}")
            found += below
        elif path.is_file():
            found.append(path)
        else:
            problems.append(f"{path}: there is no such image")
    return found, problems


def _prepared(
    paths: list[Path], trained: "LoadedModel", problems: list[str]
) -> list[tuple[Path, Prepared]]:
    prepared = []
    with quietly():
        for path in paths:
            try:
                picture = prepare(path, channels=trained.in_channels, size=trained.image_size)
            except Unusable as error:
                problems.append(f"{path}: {error}")
            else:
                prepared.append((path, picture))
    return prepared


def _note(trained: "LoadedModel", picture: Prepared, mean: float, invert: bool) -> str | None:
    if picture.has_more_frames:
        return "it has several frames or pages, of which the first is taken"
    if not invert and mean > _LIGHT and _lightness(trained) < _DARK:
        return "mostly light, while the network was trained on mostly dark images: try --invert"
    return None


def _lightness(trained: "LoadedModel") -> float:
    """The training images' mean in 0..1; of an older run, the one that normalises them."""
    if trained.lightness is not None:
        return trained.lightness
    mean = trained.config.data.mean
    return float(mean) if isinstance(mean, int | float) else sum(mean) / len(mean)


if __name__ == "__main__":
    postpone_collection()
    main()
