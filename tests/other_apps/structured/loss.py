"""The objective of the app beside it."""


def val_loss(lr: float, width: int, epoch: int) -> float:
    return float((lr - 0.3) ** 2 + 1 / epoch + width / 100)
