"""From the folder of a run or sweep to one exported file, checked before it is written."""

import sys
from pathlib import Path
from typing import Any

import torch

from cnnsweep import __version__
from cnnsweep.data.pictures.prepare import STEPS
from cnnsweep.errors import UserError
from cnnsweep.export import formats
from cnnsweep.export.verify import agreement, sample
from cnnsweep.folders.not_final import why_not_final
from cnnsweep.folders.run_folder import RunFolder, write_whole
from cnnsweep.folders.winner import chosen_run
from cnnsweep.models.views import without_views
from cnnsweep.task.load_model import LoadedModel, load_model

_OPSETS = range(18, 24)
_RESULTS = ("status", "seed", "precision", "val_accuracy", "test_accuracy", "commit", "versions")


def export(folder: Path, kind: str, *, out: Path | None, opset: int | None) -> None:
    """Write the file and print what was done. ``kind`` is `onnx` or `torch`.

    Of a sweep it is that of its best run, which a line on stderr names. A file that is there
    already is replaced.

    Raises:
        UserError: nothing can be exported from this folder, or to this file; nothing was written.
    """
    _check_opset(kind, opset)
    run, said = chosen_run(folder)
    if said is not None:
        print(said, file=sys.stderr)
    path = _path(RunFolder(run), kind, out)
    trained = load_model(run)
    if (why := why_not_final(trained.folder)) is not None:
        print(why, file=sys.stderr)
    print(f"{trained.folder}: {_summary(trained)}")
    content, reader = _make(trained, kind, opset)
    print(_checked(trained, reader))
    replaced = path.exists()
    write_whole(path, content)
    print(f"{path} {'replaced' if replaced else 'written'}: {len(content) / 1e6:.1f} MB")


def describe(trained: LoadedModel) -> dict[str, Any]:
    """Input, output, classes and origin, as plain values.

    What comes from result.json is None for a run that is not over.
    """
    result = trained.folder.read_result() or {}
    return {
        "input": {
            "name": formats.INPUT,
            "dtype": "uint8",
            "shape": [formats.BATCH, trained.in_channels, *trained.image_size],
            "means": "pixels 0..255 by image, channel (grey, or red, green, blue), row, column; "
            "nothing is to be done to them",
            "from_a_picture": STEPS,
        },
        "output": {
            "name": formats.OUTPUT,
            "dtype": "float32",
            "shape": [formats.BATCH, len(trained.classes)],
            "means": "how likely each class is, 0..1",
        },
        "classes": list(trained.classes),
        "model": trained.config.model._target_,
        "data": trained.config.data._target_,
        "run_folder": str(trained.folder),
        "epoch": trained.epoch,
        **{name: result.get(name) for name in _RESULTS},
        "exported_with": {"torch": torch.__version__, "cnnsweep": __version__},
    }


def _make(
    trained: LoadedModel, kind: str, opset: int | None
) -> tuple[bytes, formats.Reader | None]:
    if kind == "onnx":
        formats.require_extra()
    image = (trained.in_channels, *trained.image_size)
    program = formats.trace(trained.network, image)
    description = describe(trained)
    if kind == "torch":
        content = formats.to_torch(program, description)
        return content, formats.read_torch(content)
    content = formats.to_onnx(trained.network, program, description, opset)
    return content, formats.read_onnx(content)


def _checked(trained: LoadedModel, reader: formats.Reader | None) -> str:
    if reader is None:
        return f"not checked: onnxruntime is not installed; {formats.EXTRA}"
    images, words = sample(trained)
    found = agreement(trained, reader.predict, images)
    return f"checked with {reader.name}: {found} {words}"


def _summary(trained: LoadedModel) -> str:
    name = type(without_views(trained.network.network)).__name__
    size = "×".join(str(side) for side in (trained.in_channels, *trained.image_size))
    result = trained.folder.read_result() or {}
    metrics = [
        f"{split} accuracy {result[key]:.4f}"
        for split, key in (("validation", "val_accuracy"), ("test", "test_accuracy"))
        if result.get(key) is not None
    ]
    classes = f"{len(trained.classes)} classes"
    return ", ".join([name, f"images of {size}", classes, f"epoch {trained.epoch}", *metrics])


def _path(folder: RunFolder, kind: str, out: Path | None) -> Path:
    path = {"onnx": folder.onnx, "torch": folder.program}[kind]
    if out is None:
        return path
    if out.suffix != path.suffix:
        raise UserError(f"--out {out}: --format {kind} allows a name that ends in {path.suffix}")
    if out.is_dir() or not out.parent.is_dir():
        raise UserError(f"--out {out}: allowed is a file in a folder that is there")
    return out


def _check_opset(kind: str, opset: int | None) -> None:
    if opset is not None and (kind != "onnx" or opset not in _OPSETS):
        raise UserError(
            f"--opset {opset} with --format {kind}: "
            f"allowed is {_OPSETS[0]} to {_OPSETS[-1]}, with onnx"
        )
