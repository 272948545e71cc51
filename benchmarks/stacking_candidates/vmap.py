"""`torch.func.vmap` over stacked parameters and buffers."""

from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from benchmarks.stacking_candidates.setting import Setting
from benchmarks.stacking_candidates.together import Together


def mapped(setting: Setting, *, graph: bool) -> Together:
    """The networks' own forward pass, mapped over K; batch norm's statistics are written too."""
    networks = setting.networks()
    parameters, buffers = stack_module_state(networks)

    def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor) -> Tensor:
        logits: Tensor = functional_call(networks[0], (parameters, buffers), (images,))
        return logits

    every = vmap(one, randomness="different")

    def forward(images: Tensor) -> Tensor:
        folded = images.view(setting.stack, -1, *images.shape[1:])  # (K, B, C, H, W)
        logits: Tensor = every(parameters, buffers, folded)
        return logits.flatten(0, 1)

    feed = setting.feed_of_all(by_image=False)
    leaves = list(parameters.values())
    return Together(
        setting, feed, forward, leaves, list(buffers.values()), by_image=False, graph=graph
    )
