import torch

from cnnsweep.data.dataset import Dataset
from tests.data.made_files import labelled


def test_images_are_counted_taken_by_index_and_moved() -> None:
    images = labelled([3, 2])
    assert len(images) == 5
    taken = images.take(torch.tensor([4, 0]))
    assert taken.labels.tolist() == [1, 0]
    assert torch.equal(taken.pixels, images.pixels[[4, 0]])
    assert images.to("meta").pixels.device.type == "meta"


def test_a_data_set_tells_its_sizes() -> None:
    data = Dataset(name="x", classes=("a", "b"), train=labelled([3, 2]), test=lambda: labelled([1]))
    assert (data.in_channels, data.image_size, data.num_classes) == (1, (2, 2), 2)
