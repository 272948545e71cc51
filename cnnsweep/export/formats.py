"""The two file formats, and how each file is read and run without this package."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from cnnsweep.errors import UserError
from cnnsweep.models.views import without_views
from cnnsweep.task.load_model import InferenceModel

INPUT, OUTPUT, BATCH = "images", "probabilities", "batch"
DESCRIPTION = "description.json"
EXTRA = "pip install -e '.[export]'"

Predict = Callable[[Tensor], Tensor]  # uint8 images (N, C, H, W) -> probabilities (N, classes)


class Reader(NamedTuple):
    """A library that runs the file, by name, and its function from images to probabilities."""

    name: str
    predict: Predict


def require_extra() -> None:
    """Raise UserError where a package that writes ONNX is not installed."""
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"--format onnx needs {' and '.join(missing)}: {EXTRA}; --format torch needs no more"
        )


def trace(network: InferenceModel, image: tuple[int, int, int]) -> ExportedProgram:
    """The network as a graph for any number of images of ``image`` (channels, height, width).

    Raises:
        UserError: the network does something that cannot be written down as a graph.
    """
    examples = torch.zeros(2, *image, dtype=torch.uint8)
    with _quiet(), _refused(network):
        program = torch.export.export(
            network, (examples,), dynamic_shapes=({0: Dim(BATCH, min=1)},), strict=False
        )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names folders of this machine
    return program


def to_torch(program: ExportedProgram, description: dict[str, Any]) -> bytes:
    """The bytes of a .pt2 file; the description lies in it as ``description.json``."""
    buffer = io.BytesIO()
    with _quiet():
        torch.export.save(program, buffer, extra_files={DESCRIPTION: json.dumps(description)})
    return buffer.getvalue()


def to_onnx(
    network: InferenceModel,
    program: ExportedProgram,
    description: dict[str, Any],
    opset: int | None,
) -> bytes:
    """The bytes of an .onnx file; each entry of the description is JSON in its metadata.

    Raises:
        UserError: an operator cannot be written in this opset.
    """
    with _quiet(), _refused(network):
        made = torch.onnx.export(
            program,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=opset,
            verbose=False,
        )
        assert made is not None
        model = made.model_proto
        for key, value in description.items():
            model.metadata_props.add(key=key, value=json.dumps(value))
        return bytes(model.SerializeToString())


def read_torch(content: bytes) -> Reader:
    """torch itself."""
    with _quiet():
        module = torch.export.load(io.BytesIO(content)).module()
    return Reader(f"torch {torch.__version__}", module)


def read_onnx(content: bytes) -> Reader | None:
    """onnxruntime; None where it is not installed."""
    if find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # By default it starts a thread a core and pins them to cores, which containers may forbid.
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def predict(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([OUTPUT], {INPUT: images.numpy()})[0])

    return Reader(f"onnxruntime {onnxruntime.__version__}", predict)


@contextmanager
def _refused(network: InferenceModel) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # torch's export errors are of the first kind
        reason = next((line for line in str(error).splitlines() if line.strip()), "")
        name = type(without_views(network.network)).__name__
        raise UserError(f"the network {name} cannot be exported: {reason.strip()[:200]}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings and log lines: the exporters' are about their own code only."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
