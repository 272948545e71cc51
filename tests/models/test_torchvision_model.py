"""torchvision's classification models with our images, our classes and files of weights."""

import logging
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.models.inspect import check_fits, last_layer_name
from tests.models.networks import Network, build, pictures

SMALL = "mobilenet_v3_small"


def published(path: Path, classes: int = 1000, name: str = SMALL) -> dict[str, Tensor]:
    """Write what torchvision would publish for a model, and return it."""
    model = build(Network("torchvision", {"name": name}), classes=classes, seed=9)
    state = {key.removeprefix("network."): t for key, t in model.state_dict().items()}
    torch.save(state, path)
    return state


def loaded(path: Path, classes: int = 10, name: str = SMALL) -> nn.Module:
    return build(Network("torchvision", {"name": name, "weights": str(path)}), classes=classes)


def test_grey_images_are_seen_as_grey_colour_images() -> None:
    grey = pictures((1, 32, 32))
    model = build(Network("torchvision", {"name": SMALL}), (1, 32, 32)).eval()
    assert torch.equal(model(grey), model(grey.repeat(1, 3, 1, 1)))


def test_two_channels_are_refused() -> None:
    with pytest.raises(UserError, match=r"2 channels: .* allow 1 or 3"):
        build(Network("torchvision", {}), (2, 32, 32))


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown model.name 'resnet19'. Did you mean 'resnet1"):
        build(Network("torchvision", {"name": "resnet19"}))


def test_a_detection_model_is_not_offered() -> None:
    with pytest.raises(UserError, match=r"unknown model\.name"):
        build(Network("torchvision", {"name": "retinanet_resnet50_fpn"}))


def test_a_network_with_auxiliary_outputs_gives_plain_logits_in_training() -> None:
    model = build(Network("torchvision", {"name": "googlenet"}), (3, 32, 32)).train()
    assert model(pictures((3, 32, 32))).shape == (4, 10)


def test_resize_makes_small_images_fit_and_keeps_their_proportions() -> None:
    small = Network("torchvision", {"name": "densenet121"})
    with pytest.raises(UserError, match="does not take 2 images of 1×28×20"):
        check_fits(build(small, (1, 28, 20)), 1, (28, 20), 10)
    large = build(Network("torchvision", {"name": "densenet121", "resize": 40}), (1, 28, 20))
    check_fits(large, 1, (28, 20), 10)
    enlarged = large.get_submodule("resize")(pictures((1, 28, 20)))
    assert enlarged.shape == (4, 1, 56, 40)


def test_published_weights_are_loaded_but_the_last_layer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = published(tmp_path / "weights.pth")
    with caplog.at_level(logging.INFO):
        model = loaded(tmp_path / "weights.pth")
    last = last_layer_name(model)
    for key, tensor in model.state_dict().items():
        if not key.startswith(last):
            assert torch.equal(tensor, state[key.removeprefix("network.")])
    assert model.get_submodule(last).weight.shape == (10, 1024)
    assert "the last layer is for other classes and starts afresh" in caplog.text


def test_weights_for_the_same_classes_are_loaded_whole(tmp_path: Path) -> None:
    state = published(tmp_path / "weights.pth", classes=10)
    model = loaded(tmp_path / "weights.pth")
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[key.removeprefix("network.")])


def test_names_and_parts_of_older_files_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "densenet121-a639ec97.pth"
    state = published(path, classes=10, name="densenet121")
    old = {
        key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): tensor
        for key, tensor in state.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old | {"AuxLogits.fc.weight": torch.zeros(1)}, path)
    model = loaded(path, name="densenet121").state_dict()
    assert all(torch.equal(model[f"network.{key}"], state[key]) for key in state)


def test_weights_of_another_network_are_refused_by_name_and_shape(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    state = published(path)
    state["features.0.0.weight"] = torch.zeros(16, 1, 3, 3)
    state["stem.weight"] = state.pop("features.0.1.weight")
    torch.save(state, path)
    with pytest.raises(UserError) as caught:
        loaded(path)
    message = str(caught.value)
    assert f"model.weights={path} does not fit model.name={SMALL}" in message
    assert "features.0.0.weight is (16, 1, 3, 3), needed is (16, 3, 3, 3)" in message
    assert "stem.weight is not part of the model" in message
    assert "features.0.1.weight is missing" in message


def test_a_file_of_pickled_code_is_refused_without_running_it(tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "was-run"),)  # type: ignore[return-value]

    path = tmp_path / "weights.pth"
    torch.save(Code(), path)
    with pytest.raises(UserError, match="holds pickled code"):
        loaded(path)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"not weights", bytes(range(256)) * 9, pickle.dumps({"a": 1}), b"PK\3\4" + bytes(90)],
    ids=["empty", "text", "bytes", "pickle", "zip"],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model.weights=.*weights\.pth") as caught:
        loaded(path)
    assert "\n" not in str(caught.value)


def test_a_torn_file_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(50)}, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"model\.weights="):
            loaded(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        loaded(tmp_path / "nowhere.pth")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        loaded(tmp_path)
