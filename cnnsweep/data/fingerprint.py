"""What tells one data set from another: its classes, its sizes, and a hash of its contents."""

import gzip
import json
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from os import cpu_count
from pathlib import Path
from typing import Any

from torch import Tensor

from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.errors import UserError

_FILE_BYTES, _SET_BYTES = 8, 16  # of a hash: of one file, of a whole data set
_FEW = 16  # files that are hashed side by side
_BLOCK = 2**20  # bytes read at once


def fingerprint(dataset: Dataset) -> dict[str, Any]:
    """Equal for two data sets that hold the same images, wherever their files lie.

    ``classes`` in order; ``train``, ``val`` and ``test``: numbers of images, None where there are
    none or nobody has read them yet; ``shape`` (channels, height, width); ``hash`` of the contents
    of all files, those of the test images included, though none of these is decoded. A data set
    without files has the hash of its training and validation tensors, and see :func:`with_test`.
    """
    parts = {"train": dataset.train, "val": dataset.val}
    contents = dataset.contents
    digests = {
        f"{name} {kind}": digest_of(tensor)
        for name, images in parts.items()
        if images is not None and contents is None
        for kind, tensor in (("images", images.pixels), ("labels", images.labels))
    }
    return {
        "classes": list(dataset.classes),
        **{name: None if images is None else len(images) for name, images in parts.items()},
        "test": None if contents is None else contents.test,
        "shape": [dataset.in_channels, *dataset.image_size],
        "hash": _hash_of(dataset.classes, (contents or Contents(digests, test=0)).summary),
    }


def with_test(known: dict[str, Any], test: Images) -> dict[str, Any]:
    """A fingerprint that says of the test images what only reading them tells: ``test_hash``."""
    if known["test"] is not None:
        return known
    digests = {"images": digest_of(test.pixels), "labels": digest_of(test.labels)}
    return known | {"test": len(test), "test_hash": Contents(digests, len(test)).summary}


def digest_of(tensor: Tensor) -> str:
    """A hash of a tensor's shape and values."""
    plain = tensor.detach().cpu().contiguous()
    known = blake2b(f"{plain.dtype} {list(plain.shape)}".encode(), digest_size=_FILE_BYTES)
    known.update(plain.numpy().data)
    return known.hexdigest()


def digests_of(files: Mapping[str, Path]) -> dict[str, str]:
    """A hash of the bytes of each file, by the name under which it is given.

    A gzipped file has the hash of what it holds. Raises UserError for one that cannot be read.
    """
    if len(files) > _FEW:  # small ones: threads would wait for each other, three times as long
        return {name: _digest(file) for name, file in files.items()}
    with ThreadPoolExecutor(cpu_count()) as threads:
        return dict(zip(files, threads.map(_digest, files.values()), strict=True))


def _digest(file: Path) -> str:
    known = blake2b(digest_size=_FILE_BYTES)
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb", buffering=0) as stream:
            while block := stream.read(_BLOCK):
                known.update(block)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{file} is damaged or cannot be read: {error}.") from error
    return known.hexdigest()


def _hash_of(classes: tuple[str, ...], summary: str) -> str:
    written = json.dumps([classes, summary])
    return blake2b(written.encode(), digest_size=_SET_BYTES).hexdigest()
