"""Each layer's output shape and parameters, as a table."""

import torchinfo
from torch import nn

from cnnsweep.models.dry_run import blank_images, traceless


def layer_table(model: nn.Module, in_channels: int, image_size: tuple[int, int]) -> str:
    """Plain text, a line a layer: name, output shape for one image, number of parameters.

    The model and the generators are left as they were.
    """
    with traceless(model):
        # Given sizes instead of data, torchinfo would draw random images.
        images = blank_images(model, 1, in_channels, image_size)
        table = torchinfo.summary(
            model,
            input_data=images,
            depth=10,
            col_names=("output_size", "num_params"),
            row_settings=("var_names",),
            verbose=0,
        )
    return str(table)
