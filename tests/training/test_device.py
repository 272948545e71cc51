import pytest
import torch

from cnnsweep.errors import UserError
from cnnsweep.training.device import resolve_device, resolve_precision, use_threads

CPU = torch.device("cpu")


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"device=cuda:99 is not there.*cpu"):
        resolve_device("cuda:99")


def test_auto_takes_a_device_that_is_there() -> None:
    assert resolve_device(str(resolve_device("auto"))) == resolve_device("auto")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_is_taken_at_its_word(precision: str) -> None:
    assert resolve_precision(precision, CPU) == precision


def test_auto_precision_is_one_of_the_two() -> None:
    assert resolve_precision("auto", CPU) in ("float32", "bfloat16")


def test_auto_threads_are_the_processs_own_again_after_a_run_with_others() -> None:
    own = use_threads("auto")
    assert use_threads(1) == 1
    assert torch.get_num_threads() == 1
    assert use_threads("auto") == own
    assert torch.get_num_threads() == own
