"""Opening text of any wrapping; writing whole or not at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from Bio import bgzf

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError, SeqdlError
from seqdl.io.files import compression, open_binary, open_text, sha256, writing

TEXT = "".join(f"line {i}\n" for i in range(20_000))


def _write(path, data, kind):
    if kind == "bgzip":
        with bgzf.BgzfWriter(str(path), "wb") as stream:
            stream.write(data)
    else:
        path.write_bytes(gzip.compress(data) if kind == "gzip" else data)
    return path


@pytest.fixture(params=["plain", "gzip", "bgzip"])
def kind(request):
    return request.param


def test_text_is_read_whatever_it_is_wrapped_in_and_called(tmp_path, kind):
    path = _write(tmp_path / "misleading.txt", TEXT.encode(), kind)
    with open_text(path) as stream:
        assert stream.read() == TEXT
    with open_text(str(path)) as stream:
        assert sum(1 for _ in stream) == 20_000
    with open_binary(path) as stream:
        assert stream.read() == TEXT.encode()
    assert compression(path) == kind


def test_reading_may_stop_early(tmp_path, kind):
    with open_text(_write(tmp_path / "a", TEXT.encode(), kind)) as stream:
        assert stream.readline() == "line 0\n"


@pytest.mark.parametrize(("data", "newlines"), [(b"a\r\nb\r\n", "\r\n"), (b"a\rb\r", "\r"), (b"a\nb\n", "\n"), (b"\xef\xbb\xbfa\nb\n", "\n")])
def test_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path, data, newlines):
    with open_text(_write(tmp_path / "a", data, "plain")) as stream:
        assert stream.read() == "a\nb\n"
        assert stream.newlines == newlines


def test_several_gzip_members_are_one_text(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    with open_text(tmp_path / "a.gz") as stream:
        assert stream.read() == "one\ntwo\n"


def test_old_encodings_are_read_and_an_empty_file_is_empty(tmp_path):
    with open_text(_write(tmp_path / "a", ">Müller".encode("latin-1"), "plain")) as stream:
        assert stream.read().startswith(">M")
    with open_text(_write(tmp_path / "b", b"", "plain")) as stream:
        assert stream.read() == ""


def test_standard_input_is_read_and_stays_open(tmp_path, monkeypatch, kind):
    data = _write(tmp_path / "a", b"ACGT\n", kind).read_bytes()
    stdin = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr(sys, "stdin", stdin)
    with open_text("-") as stream:
        assert stream.read() == "ACGT\n"
    assert not stdin.buffer.closed


def test_standard_input_may_be_text_already(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("ACGT"))
    with open_text("-") as stream:
        assert stream.read() == "ACGT"


def test_a_pipe_is_read_where_a_path_is_given(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    packed = _write(tmp_path / "packed", b"ACGT", "bgzip").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(packed,))
    writer.start()
    with open_text(pipe) as stream:
        assert stream.read() == "ACGT"
    writer.join()


@pytest.mark.parametrize("cut", [25, 400, -9])
def test_a_cut_gzip_file_is_refused_by_name(tmp_path, cut):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(TEXT.encode())[:cut])
    with pytest.raises(FormatError, match=r"cut\.gz is cut short: .*Copy or download it again"), open_text(path) as stream:
        stream.read()


def test_a_bgzip_file_cut_between_blocks_is_refused(tmp_path):
    path = _write(tmp_path / "cut.bgz", TEXT.encode(), "bgzip")
    path.write_bytes(path.read_bytes()[:-28])
    assert len(gzip.decompress(path.read_bytes())) == len(TEXT)  # gzip alone sees nothing wrong
    with pytest.raises(FormatError, match=r"cut\.bgz is cut short: the block that ends"), open_text(path) as stream:
        stream.read()


@pytest.mark.parametrize("place", [30, -6])
def test_a_damaged_gzip_file_is_refused_by_name(tmp_path, place):
    data = bytearray(gzip.compress(TEXT.encode()))
    data[place] ^= 0xFF
    (tmp_path / "bad.gz").write_bytes(data)
    with pytest.raises(FormatError, match=r"bad\.gz is damaged"), open_text(tmp_path / "bad.gz") as stream:
        stream.read()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\x01\x02", "it is binary"),
        (b"PK\x03\x04...", "Excel workbook"),
        (b"BZh91AY", "bzip2"),
        ("chr1\t1\t2".encode("utf-16"), "UTF-16"),
        (b"\x26\xfc\x8f\x88\x04\x00", "a bigWig file"),
        (gzip.compress(b"BAM\x01\x00", mtime=0), "a BAM file"),  # a clock in the data would be a clock in the id of the test
    ],
)
def test_what_is_not_text_is_refused_by_kind(tmp_path, data, message):
    (tmp_path / "odd").write_bytes(data)
    with pytest.raises(FormatError, match=rf"odd is not text: .*{message}"), open_text(tmp_path / "odd"):
        pass


def test_a_missing_file_is_named_with_its_nearest_neighbour(tmp_path):
    (tmp_path / "peaks.bed").touch()
    with pytest.raises(MissingFileError, match=r"no file .*peak\.bed\. Did you mean .*peaks\.bed\?"), open_text(tmp_path / "peak.bed"):
        pass
    with pytest.raises(MissingFileError, match=r"its folder .*nowhere is not there"), open_text(tmp_path / "nowhere" / "a"):
        pass
    with pytest.raises(FileNotFoundError, match="Check the path"):
        sha256(tmp_path / "a")
    with pytest.raises(MissingFileError, match=r"address on the web.*Download it first"), open_text("https://example.org/a.bed"):
        pass


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match="is a folder; a file was expected"), open_text(tmp_path):
        pass
    with pytest.raises(InputError, match="is a folder; the name of a file was expected"), writing(tmp_path, force=True):
        pass


def test_an_error_of_the_reader_passes_through(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(KeyError, match="mine"), open_text(tmp_path / "a"):
        raise KeyError("mine")


def test_sha256_is_that_of_the_bytes_on_disk(tmp_path, kind):
    path = _write(tmp_path / "a", b"ACGT", kind)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def _write_half_of(path, error):
    with writing(path, force=True) as stream:
        stream.write("half")
        raise error


def test_a_written_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    with writing(path) as stream:
        stream.write("one\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError, match="mine"):
        _write_half_of(path, ZeroDivisionError("mine"))
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_nothing_is_overwritten_without_force(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OutputExistsError, match=r"a\.txt is already there.*--force"), writing(path):
        pytest.fail("the block must not run")
    with writing(path, force=True) as stream:
        stream.write("new")
    assert path.read_text() == "new"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(OutputExistsError, match="already there"), writing(path):
        path.write_text("another process")
    assert path.read_text() == "another process"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no folder .*nowhere.*Make it first"), writing(tmp_path / "nowhere" / "a"):
        pass


def test_bytes_are_written_as_they_are_and_gz_is_compressed_reproducibly(tmp_path):
    for name in ("a.gz", "b.gz"):
        with writing(tmp_path / name) as stream:
            stream.write("ACGT\n")
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"ACGT\n"
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    with writing(tmp_path / "c.gz", binary=True) as stream:
        stream.write(b"\x00\xff")
    assert (tmp_path / "c.gz").read_bytes() == b"\x00\xff"


def test_a_link_is_written_through_and_permissions_stay(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    with writing(tmp_path / "link", force=True) as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    with writing(tmp_path / "a"):
        pass
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_pipe_is_written_into_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    with writing(pipe) as stream:
        stream.write("ACGT")
    reader.join()
    assert got == ["ACGT"]
    assert pipe.is_fifo()


def test_standard_output_is_written_and_stays_open(capsys):
    with writing("-") as stream:
        stream.write("ACGT\n")
    sys.stdout.write("more\n")
    assert capsys.readouterr().out == "ACGT\nmore\n"


@pytest.mark.parametrize(("number", "message"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk quota is used up")])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, number, message):
    with pytest.raises(SeqdlError, match=rf"a\.txt could not be written: {message}\. Nothing was left behind"):
        _write_half_of(tmp_path / "a.txt", OSError(number, os.strerror(number)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_device_that_is_full_is_said():
    with pytest.raises(SeqdlError, match="/dev/full could not be written: the disk is full"), writing("/dev/full") as stream:
        stream.write("ACGT")


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
@pytest.mark.parametrize("name", ["a.txt", "a.gz"])
def test_a_file_that_cannot_grow_leaves_the_old_one(tmp_path, name):
    (tmp_path / name).write_text("old")
    script = f"""
        import os, resource, signal
        from seqdl.errors import SeqdlError
        from seqdl.io.files import writing
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            with writing({str(tmp_path / name)!r}, force=True) as stream:
                stream.write(os.urandom(5000).hex())   # fails only when the buffers are emptied at the end
        except SeqdlError as error:
            print(error)
    """
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert "the file grew over the size that is allowed" in result.stdout
    assert (tmp_path / name).read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_without_permission_is_said(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(0)
    with pytest.raises(InputError, match="cannot be opened: Permission denied"), open_text(tmp_path / "a"):
        pass
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written: Permission denied"), writing(tmp_path / "b"):
        pass
    tmp_path.chmod(0o700)
