"""The linear layers at a network's end."""

from collections.abc import Sequence

from torch import nn

from cnnsweep.models.activation import activation_layer
from cnnsweep.models.option import count, counts, probability


def head(
    in_features: int,
    hidden: Sequence[int] | int | None,
    num_classes: int,
    *,
    activation: str,
    dropout: float,
) -> nn.Sequential:
    """(N, ...) with ``in_features`` values an image -> logits (N, num_classes).

    An activation follows each hidden layer; dropout stands before the last layer only.
    """
    dropout = probability("model.dropout", dropout)
    layers: list[nn.Module] = [nn.Flatten()]
    for features in hidden_sizes(hidden):
        layers += [nn.Linear(in_features, features), activation_layer(activation)]
        in_features = features
    if dropout > 0:  # a dropout of 0 would still draw its masks
        layers.append(nn.Dropout(dropout))
    layers.append(nn.Linear(in_features, num_classes))
    return nn.Sequential(*layers)


def hidden_sizes(hidden: Sequence[int] | int | None) -> list[int]:
    """``model.hidden`` as a list: null and [] are none, a single number is one layer."""
    if hidden is None or hidden == []:
        return []
    if isinstance(hidden, int):
        return [count("model.hidden", hidden)]
    return counts("model.hidden", hidden)
