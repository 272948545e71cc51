from types import SimpleNamespace

import pytest
import torch

from cnnsweep.errors import UserError
from cnnsweep.training.device import keep_to_share, resolve_device, resolve_precision

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"device=cuda:99 is not there.*cpu"):
        resolve_device("cuda:99")


def test_auto_takes_a_device_that_is_there() -> None:
    assert resolve_device(str(resolve_device("auto"))) == resolve_device("auto")


@pytest.mark.parametrize(
    ("gpus", "has_mps", "taken"),
    [(2, True, "cuda:0"), (1, False, "cuda:0"), (0, True, "mps"), (0, False, "cpu")],
)
def test_auto_takes_the_fastest_that_is_there(
    monkeypatch: pytest.MonkeyPatch, gpus: int, has_mps: bool, taken: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_mps)
    assert resolve_device("auto") == torch.device(taken)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_precision_is_taken_at_its_word(precision: str) -> None:
    assert resolve_precision(precision, CPU) == precision


@pytest.mark.parametrize("able", ["avx512_bf16", "amx_bf16", "bf16"])
def test_auto_precision_on_a_cpu_is_bfloat16_where_an_instruction_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, able: str
) -> None:
    flags = {"architecture": "x86_64", "avx2": True, "avx512_f": True}
    unable = dict.fromkeys(("avx512_bf16", "amx_bf16", "bf16"), False)
    for said, precision in (
        (flags, "float32"),  # another architecture's flags are not even named
        (flags | unable, "float32"),
        (flags | unable | {able: True}, "bfloat16"),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda said=said: said)
        assert resolve_precision("auto", CPU) == precision


@pytest.mark.parametrize(("computes", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_auto_precision_on_a_gpu_is_bfloat16_where_it_need_not_be_emulated(
    monkeypatch: pytest.MonkeyPatch, computes: bool, precision: str
) -> None:
    def is_supported(including_emulation: bool = True) -> bool:
        return computes or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": not computes})
    assert resolve_precision("auto", CUDA) == precision
    if computes:
        assert resolve_precision("bfloat16", CUDA) == "bfloat16"
    else:
        with pytest.raises(UserError, match="bfloat16 is more than cuda:0 can do"):
            resolve_precision("bfloat16", CUDA)


def test_auto_precision_of_any_other_device_is_float32() -> None:
    assert resolve_precision("auto", torch.device("mps")) == "float32"


@pytest.mark.parametrize(
    ("share", "device", "fractions"),
    [
        ("1/2", CUDA, [0.4]),  # 5 of 10 GiB, less one
        ("1/20", CUDA, [0.025]),
        ("1", CUDA, []),
        (None, CUDA, []),
        ("1/2", CPU, []),
    ],
)
def test_torch_gets_the_share_of_a_gpu_that_this_process_has(
    share: str | None, device: torch.device, fractions: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: list[float] = []
    memory = SimpleNamespace(total_memory=10 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: memory)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda fraction, _: set_to.append(fraction)
    )
    monkeypatch.delenv("CNNSWEEP_GPU_SHARE", raising=False)
    if share is not None:
        monkeypatch.setenv("CNNSWEEP_GPU_SHARE", share)
    keep_to_share(device)
    assert set_to == pytest.approx(fractions)
