"""The folders shared with the bank: nothing written over, nothing handed over twice, no half file to be seen."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from medfund.bankfiles import folders, handing
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.refusals import MEANINGS, Code

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bank"


@pytest.fixture
def bank(root: Path) -> Iterator[Folders]:
    with folders.held(root) as held:
        yield held


def put(root: Path, name: str, content: bytes = b"content") -> Path:
    path = root / "in" / name
    path.write_bytes(content)
    return path


def letter(text: str) -> "Writer":
    return Writer(text.encode())


class Writer:
    """Writes some bytes, and knows how often it was asked to."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.times = 0

    def __call__(self, file: BinaryIO) -> None:
        self.times += 1
        file.write(self.content)


def seen(root: Path) -> dict[str, bytes]:
    """What lies in the folders, but for the lock."""
    files = [path for path in root.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


def test_a_file_handed_over_is_there_whole_and_kept(root: Path, bank: Folders) -> None:
    assert bank.hand_over("MF1.xml", letter("pay"))
    assert seen(root) == {"out/MF1.xml": b"pay", "done/out/MF1.xml": b"pay"}
    assert bank.handed_over("MF1.xml") == root / "done" / "out" / "MF1.xml"
    assert bank.handed_over("MF2.xml") is None


def test_a_second_call_hands_over_nothing_whether_or_not_the_bank_took_it(root: Path, bank: Folders) -> None:
    assert bank.hand_over("MF1.xml", letter("pay"))
    again = letter("pay more")
    assert not bank.hand_over("MF1.xml", again)
    (root / "out" / "MF1.xml").unlink()
    assert not bank.hand_over("MF1.xml", again)
    assert (again.times, seen(root)) == (0, {"done/out/MF1.xml": b"pay"})


def test_a_file_of_the_banks_is_no_evidence_that_one_of_ours_was_paid(root: Path, bank: Folders) -> None:
    bank.done(put(root, "MF1.xml"))
    assert bank.hand_over("MF1.xml", letter("pay"))
    assert (root / "out" / "MF1.xml").read_bytes() == b"pay"


def test_writing_that_fails_leaves_nothing_and_can_be_done_again(root: Path, bank: Folders) -> None:
    def fails(file: BinaryIO) -> None:
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bank.hand_over("MF1.xml", fails)
    assert seen(root) == {}
    assert bank.hand_over("MF1.xml", letter("pay"))


def test_the_other_side_cannot_make_us_write_elsewhere(root: Path, bank: Folders, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("precious")
    (root / "out" / ".MF1.xml.part").symlink_to(tmp_path / "ours")
    assert bank.hand_over("MF1.xml", letter("pay"))
    assert (tmp_path / "ours").read_text() == "precious"
    assert not (root / "out" / "MF1.xml").is_symlink()


def test_what_the_protocol_never_leaves_behind_stops_it(root: Path, bank: Folders) -> None:
    (root / "out" / "MF1.xml").write_text("who put this here?")
    with pytest.raises(handing.Tampered, match="nothing says that it was handed over"):
        bank.hand_over("MF1.xml", letter("pay"))
    (root / "done" / "out" / "MF2.xml").write_text("kept")
    (root / "out" / ".MF2.xml.part").write_text("another")
    with pytest.raises(handing.Tampered, match="another file than"):
        bank.hand_over("MF2.xml", letter("pay"))


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "../x", "a/b", "a b", "a\x00b", "付款.xml", "x" * 121, "a.part", "-a"]
)
def test_a_name_that_leads_elsewhere_or_nowhere_is_refused(bank: Folders, name: str) -> None:
    with pytest.raises(handing.BadName):
        bank.hand_over(name, letter("pay"))


def test_incoming_files_come_by_name_and_only_when_they_are_complete(root: Path, bank: Folders) -> None:
    for name in (
        "b.xml",
        "a.xml",
        ".c.xml.part",
        "d.xml.part",
        "e.xml.filepart",
        "f.tmp",
        "g",
        "对账单.xml",
        "A.XML",
        "h.csv",
    ):
        put(root, name)
    assert [file.name for file in bank.incoming()] == ["A.XML", "a.xml", "b.xml", "h.csv", "对账单.xml"]


def test_what_lies_there_under_another_name_is_told_of_when_nobody_writes_it_any_more(
    root: Path, bank: Folders
) -> None:
    for name in ("a.xml", ".c.xml.part", "d.xml.part", "e.zip"):
        put(root, name)
    os.utime(root / "in" / "e.zip", (0, 0))
    assert [file.name for file in bank.left_lying(before=1)] == ["e.zip"]
    assert [file.name for file in bank.left_lying(before=time.time() + 60)] == ["d.xml.part", "e.zip"]


def test_a_file_that_was_taken_in_is_kept(root: Path, bank: Folders) -> None:
    assert bank.done(put(root, "a.xml")) == root / "done" / "in" / "a.xml"
    assert seen(root) == {"done/in/a.xml": b"content"}


def test_the_same_file_again_is_the_same_file(root: Path, bank: Folders) -> None:
    assert bank.done(put(root, "a.xml")) == bank.done(put(root, "a.xml"))
    assert seen(root) == {"done/in/a.xml": b"content"}


def test_other_bytes_under_the_same_name_are_kept_beside_it(root: Path, bank: Folders) -> None:
    first, second = bank.done(put(root, "a.xml")), bank.done(put(root, "a.xml", b"other"))
    assert (first.read_bytes(), second.read_bytes()) == (b"content", b"other")
    assert second.name == "a-d9298a10d1b07358.xml"
    assert bank.done(put(root, "a.xml", b"other")) == second
    assert len(seen(root)) == 2


def test_a_refused_file_lies_beside_its_reason_in_two_languages(root: Path, bank: Folders) -> None:
    refused = bank.refuse(put(root, "a.xml"), code=Code.WRONG_SUM, detail="a difference of 0.01 yuan")
    reason = (root / "refused" / "a.xml.reason.txt").read_text(encoding="utf-8")
    assert refused == root / "refused" / "a.xml"
    assert "原因: 金额合计不符 (WRONG_SUM)" in reason
    assert "Reason: the sum is not that of what is there (WRONG_SUM)" in reason
    assert reason.count("a difference of 0.01 yuan") == 2
    assert list((root / "in").iterdir()) == []


def test_a_refused_file_and_its_reason_never_take_the_place_of_another(root: Path, bank: Folders) -> None:
    refused = [
        bank.refuse(put(root, "a.xml.reason.txt", b"1"), code="X", detail="d"),
        bank.refuse(put(root, "a.xml", b"2"), code="X", detail="d"),
        bank.refuse(put(root, "a.xml", b"3"), code="X", detail="d"),
    ]
    assert [file.read_bytes() for file in refused] == [b"1", b"2", b"3"]
    assert all(file.with_name(f"{file.name}.reason.txt").exists() for file in refused)


@pytest.mark.parametrize("name", ["a\nb.xml", "a\x1b[31m.xml", "字" * 80 + ".xml", b"\xff.xml"])
def test_a_name_that_nobody_can_print_is_not_kept(root: Path, bank: Folders, name: str | bytes) -> None:
    put(root, os.fsdecode(name))
    (file,) = bank.incoming()
    assert bank.refuse(file, code="X", detail="d").name == "ed7002b439e9ac84.unnamed"


def test_a_link_that_the_bank_put_is_moved_and_not_followed(root: Path, bank: Folders, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("precious")
    (root / "in" / "a.xml").symlink_to(tmp_path / "ours")
    (file,) = bank.incoming()
    assert bank.refuse(file, code=Code.NOT_A_FILE, detail="a link").is_symlink()
    assert (tmp_path / "ours").read_text() == "precious"


def test_only_a_file_of_the_banks_is_moved(root: Path, bank: Folders) -> None:
    bank.hand_over("MF1.xml", letter("pay"))
    with pytest.raises(ValueError, match="is not in"):
        bank.done(root / "out" / "MF1.xml")


def test_a_second_process_is_told_who_holds_the_folders(root: Path, bank: Folders) -> None:
    code = (
        "import sys, pathlib; from medfund.bankfiles.folders import held; held(pathlib.Path(sys.argv[1])).__enter__()"
    )
    command = [sys.executable, "-c", code, str(root)]
    second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert f"Held: {root} is held by process {os.getpid()}" in second.stderr


def test_the_folders_can_be_held_again_when_they_were_let_go(root: Path) -> None:
    for _ in range(2):
        with folders.held(root) as bank:
            assert bank.incoming() == ()


def test_every_code_has_its_meaning_in_two_languages() -> None:
    assert set(MEANINGS) == set(Code)
    assert all(chinese and english for chinese, english in MEANINGS.values())
