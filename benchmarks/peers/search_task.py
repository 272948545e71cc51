"""One trial of the search with the articles' loop, for peers that bring no loop of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import article
import torch
from events import Events


def train(
    setting: dict[str, Any],
    *,
    lr: float,
    momentum: float,
    batch_size: int,
    trial: str,
    report: Callable[[float], None],
) -> float:
    """Train the articles' ResNet; the best validation accuracy. ``report`` is told each epoch's.

    One CPU thread a worker: more fight over the cores.
    """
    torch.set_num_threads(setting["threads"])
    torch.manual_seed(setting["seed"])
    events = Events(setting["events"], trial)
    try:
        parts = json.loads(Path(setting["split"]).read_text())
        train_data, val_data = article.search_data(
            Path(setting["data"]), parts["train"], parts["val"]
        )
        batches = article.loader(train_data, batch_size, shuffle=True)
        val = article.loader(val_data, 1000, shuffle=False)
        model = article.resnet()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
        best = 0.0
        for _ in range(setting["epochs"]):
            article.train_epoch(model, batches, optimizer)
            accuracy = article.accuracy(model, val)
            best = max(best, accuracy)
            events.epoch(accuracy)
            report(accuracy)
        return best
    finally:
        events.end()
