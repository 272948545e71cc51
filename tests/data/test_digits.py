import pytest
import torch
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.data.digits import digits
from cnnsweep.data.split import split


def test_digits_are_1797_images_of_28_by_28() -> None:
    data = digits()
    assert len(data.train) + len(data.test()) == 1797
    assert (data.in_channels, data.image_size, data.num_classes) == (1, (28, 28), 10)
    assert data.train.pixels.dtype == torch.uint8
    assert data.train.pixels.max() > 230
    assert data.train.pixels.is_contiguous()


def test_the_test_split_of_digits_holds_a_fifth_of_each_class() -> None:
    data = digits()
    train, test = data.train.labels.bincount(), data.test().labels.bincount()
    assert (test / (train + test) - 0.2).abs().max() < 0.01


def test_the_test_split_of_digits_does_not_depend_on_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Decoded anew by each call.
    monkeypatch.setattr("cnnsweep.data.digits.decoded_once", lambda _name, _files, decode: decode())
    data = digits()
    before = data.test().pixels.clone()
    for seed in (0, 1):
        torch.manual_seed(seed)
        split(data.train, 0.1, seed, data.classes)
        assert torch.equal(digits().test().pixels, before)
    # Published results rest on it: a change of these numbers is a change of the benchmark.
    assert data.test().labels[:10].tolist() == FIRST_LABELS


def test_digits_are_decoded_once() -> None:
    assert digits() is digits()
    assert digits().test() is digits().test()


def test_the_mean_and_deviation_in_the_config_are_those_of_the_training_images() -> None:
    config = OmegaConf.load(CONF_DIR / "data/digits.yaml")
    pixels = digits().train.pixels / 255
    assert abs(pixels.mean().item() - config.mean) < 0.0001
    assert abs(pixels.std().item() - config.std) < 0.0001


FIRST_LABELS = [0, 7, 2, 8, 6, 6, 9, 9, 8, 7]
