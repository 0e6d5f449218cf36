"""How files are read, what is refused of them, and how pieces of their text are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddsetup.model.errors import UsageError
from ddsetup.project.iac.model import BrokenFile
from ddsetup.project.iac.source import (
    Source,
    Splice,
    check_inside,
    check_writable,
    place,
    read_bytes,
    read_json,
    read_source,
    spliced,
)


def test_splices_keep_their_order_and_may_not_overlap() -> None:
    assert spliced("abc", [Splice(2, 3, "C"), Splice(0, 0, "1"), Splice(0, 0, "2")]) == "12abC"
    assert spliced("abc", [Splice(0, 2, "x"), Splice(2, 2, "y")]) == "xyc"
    with pytest.raises(ValueError, match="overlap"):
        spliced("abc", [Splice(0, 2, "x"), Splice(1, 3, "y")])


def test_a_character_has_a_line_and_a_column() -> None:
    assert [place("ab\ncd", index) for index in (0, 1, 2, 3, 4)] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_most_lines_tell_how_lines_end() -> None:
    ends = {"a\r\nb\nc\r\n": "\r\n", "a\r\nb\nc\n": "\n", "a\r\nb\n": "\n", "a": "\n"}
    assert {text: Source(Path("x"), b"", text).newline for text in ends} == ends


def test_what_is_no_text_of_ours_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(BrokenFile, match="not UTF-8 text") as caught:
        read_source(path)
    assert caught.value.where == f"{path}:2:4"
    path.write_bytes(b"\xef\xbb\xbf{,")
    source = read_source(path)
    assert (source.bom, source.text, source.encoded("x")) == (True, "{,", b"\xef\xbb\xbfx")
    with pytest.raises(BrokenFile, match="not valid JSON") as caught:
        read_json(source)
    assert caught.value.where == f"{path}:1:2"


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    assert read_bytes(path, 4, cut=True) == b"12345"
    with pytest.raises(BrokenFile, match="larger than 4 bytes"):
        read_bytes(path, 4)
    with pytest.raises(UsageError, match="No such file"):
        read_bytes(tmp_path / "none")
    with pytest.raises(UsageError):
        read_bytes(tmp_path)


def test_a_link_may_stay_within_the_repository(tmp_path: Path) -> None:
    home, project = tmp_path / "repo", tmp_path / "repo" / "shop"
    project.mkdir(parents=True)
    (home / "inside").touch()
    (tmp_path / "outside").touch()
    for name in ("inside", "outside"):
        (project / name).symlink_to((home if name == "inside" else tmp_path) / name)
    (project / "plain").touch()
    check_inside(project, project / "plain")
    with pytest.raises(UsageError, match="outside of the project"):
        check_inside(project, project / "inside")
    (home / ".git").mkdir()
    check_inside(project, project / "inside")
    with pytest.raises(UsageError, match="outside of the project") as caught:
        check_inside(project, project / "outside")
    assert caught.value.fix == f"name {tmp_path / 'outside'}"


def test_a_file_that_is_read_only_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch(0o644)
    check_writable(path)
    path.chmod(0o444)
    with pytest.raises(UsageError, match="the file is read-only") as caught:
        check_writable(path)
    assert caught.value.fix == f"chmod u+w {path}"
    path.chmod(0o464)
    check_writable(path)
