"""From a run folder to one file, proved before it is written."""

from pathlib import Path

from cnnsweep.errors import UserError
from cnnsweep.export import formats
from cnnsweep.export.metadata import describe
from cnnsweep.export.select_run import chosen_run
from cnnsweep.export.verify import agreement, sample
from cnnsweep.folders.run_folder import RunFolder, write_whole
from cnnsweep.task.load_model import LoadedModel, load_model

_OPSETS = range(18, 24)


def export(folder: Path, kind: str, *, out: Path | None, opset: int | None) -> None:
    """Write the file and say what was done. ``kind`` is `onnx` or `torch`.

    A file that is there already is replaced.

    Raises:
        UserError: nothing can be exported from this folder, or to this file; nothing was written.
    """
    _check_opset(kind, opset)
    run = chosen_run(folder)
    path = _path(RunFolder(run), kind, out)
    trained = load_model(run)
    print(f"{trained.folder}: {_words(trained)}")
    content, reader = _make(trained, kind, opset)
    print(_checked(trained, reader))
    replaced = path.exists()
    write_whole(path, content)
    print(f"{path} {'replaced' if replaced else 'written'}: {len(content) / 1e6:.1f} MB")


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


def _words(trained: LoadedModel) -> str:
    name = type(trained.network.network).__name__
    size = "×".join(str(side) for side in (trained.in_channels, *trained.image_size))
    result = trained.folder.read_result() or {}
    figures = [
        f"{split} accuracy {result[key]:.4f}"
        for split, key in (("validation", "val_accuracy"), ("test", "test_accuracy"))
        if result.get(key) is not None
    ]
    classes = f"{len(trained.classes)} classes"
    return ", ".join([name, f"images of {size}", classes, f"epoch {trained.epoch}", *figures])


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
