import os
from pathlib import Path

from cnnsweep.data.cache import KEPT, decoded_once
from cnnsweep.data.dataset import Dataset, Images
from tests.data.made_files import labelled


class Decoder:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.tests = 0

    def __call__(self) -> Dataset:
        self.calls += 1
        return Dataset("made", ("a",), labelled([3]), self.read_test)

    def read_test(self) -> Images:
        self.tests += 1
        return labelled([2])


def test_the_same_arguments_and_files_are_decoded_once(tmp_path: Path) -> None:
    file, decode = tmp_path / "x", Decoder()
    file.write_bytes(b"1")
    assert decoded_once("a", [file], decode) is decoded_once("a", [file], decode)
    assert decode.calls == 1
    decoded_once("b", [file], decode)
    assert decode.calls == 2


def test_a_changed_file_is_decoded_again(tmp_path: Path) -> None:
    file, decode = tmp_path / "x", Decoder()
    file.write_bytes(b"1")
    decoded_once("a", [file], decode)
    os.utime(file, ns=(1, 1))
    decoded_once("a", [file], decode)
    file.write_bytes(b"22")
    decoded_once("a", [file], decode)
    assert decode.calls == 3


def test_test_images_are_read_when_asked_for_and_once(tmp_path: Path) -> None:
    decode = Decoder()
    data = decoded_once(tmp_path, [], decode)
    assert decode.tests == 0
    assert data.test() is data.test()
    assert decode.tests == 1


def test_old_data_sets_make_room_for_new_ones(tmp_path: Path) -> None:
    decode = Decoder()
    for number in range(KEPT + 1):
        decoded_once((tmp_path, number), [], decode)
    decoded_once((tmp_path, KEPT), [], decode)
    assert decode.calls == KEPT + 1
    decoded_once((tmp_path, 0), [], decode)
    assert decode.calls == KEPT + 2
