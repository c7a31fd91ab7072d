import gzip

import pytest

from governance.bills.domain.file_kind import FileKind, UnpackLimits, decompress, header_of, kind_of
from tests.factories.bills import csv_bytes, gzip_bytes, parquet_bytes, written
from tests.refusals import has_code
from weighbridge.core.errors import Invalid, TooLarge


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (csv_bytes(), "a.csv", FileKind.CSV),
        (csv_bytes(), "a.txt", FileKind.CSV),
        (gzip_bytes(), "a.csv.gz", FileKind.GZIP),
        (gzip_bytes(), "part-0", FileKind.GZIP),
        (parquet_bytes(), "a.snappy.parquet", FileKind.PARQUET),
    ],
)
def test_the_content_tells_the_kind(tmp_path, content, name, kind):
    assert kind_of(written(tmp_path, content), name=name) is kind


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (csv_bytes(), "a.csv.gz", "says csv.gz, but the content is csv"),
        (parquet_bytes(), "a.csv", "says csv, but the content is parquet"),
        (gzip_bytes(), "a.parquet", "says parquet, but the content is csv.gz"),
        (b"PK\x03\x04...", "a.csv", "ZIP archive or a spreadsheet"),
        ("ProviderName,".encode("utf-16"), "a.csv", "neither UTF-8 text nor gzip nor Parquet"),
    ],
)
def test_a_wrong_name_or_content_is_refused(tmp_path, content, name, reason):
    with pytest.raises(Invalid, match=reason) as caught:
        kind_of(written(tmp_path, content), name=name)
    assert (caught.value.field, caught.value.code) == ("file", "mislabeled")


CAPS = UnpackLimits()


def opened(tmp_path, content, kind, caps=CAPS, heard=None):
    told = [].append if heard is None else heard.append
    return decompress(written(tmp_path, content, "in"), kind=kind, folder=tmp_path, caps=caps, on_bytes=told)


def test_gzip_is_unpacked_and_progress_told(tmp_path):
    heard = []
    assert opened(tmp_path, gzip_bytes(), FileKind.GZIP, heard=heard).read_bytes() == csv_bytes()
    assert heard == [len(csv_bytes())]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_gzip_cut_off_is_refused(tmp_path, cut):
    with pytest.raises(Invalid, check=has_code("truncated")):
        opened(tmp_path, gzip_bytes()[:-cut], FileKind.GZIP)


def test_a_damaged_gzip_is_refused(tmp_path):
    content = bytearray(gzip_bytes())
    content[-6] ^= 1
    with pytest.raises(Invalid, match="damaged"):
        opened(tmp_path, bytes(content), FileKind.GZIP)
    content[20] ^= 0xFF
    with pytest.raises(Invalid, match="damaged"):
        opened(tmp_path, bytes(content), FileKind.GZIP)


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path):
    bomb = gzip.compress(csv_bytes() + b"," * 30_000_000)
    with pytest.raises(TooLarge, match="more than 200 times its size") as caught:
        opened(tmp_path, bomb, FileKind.GZIP)
    assert caught.value.code == "bomb"
    assert (tmp_path / "bill.csv").stat().st_size < 10_000_000


def test_too_much_is_refused(tmp_path):
    with pytest.raises(TooLarge, match="more than the 0 GB allowed"):
        opened(tmp_path, gzip_bytes(), FileKind.GZIP, UnpackLimits(plain_bytes=100))


def test_parquet_must_end_as_it_begins(tmp_path):
    assert opened(tmp_path, parquet_bytes(), FileKind.PARQUET) == tmp_path / "in"
    for content in (parquet_bytes()[:-1], b"PAR1"):
        with pytest.raises(Invalid, check=has_code("truncated")):
            opened(tmp_path, content, FileKind.PARQUET)


@pytest.mark.parametrize("cut", [303, 305, 307])
def test_a_csv_that_ends_in_a_row_is_cut_off(tmp_path, cut):
    whole = csv_bytes([{"a": "1", "b": 'x"y', "c": "z" * 300}])
    assert opened(tmp_path, whole, FileKind.CSV).read_bytes() == whole
    with pytest.raises(Invalid, match="middle of a row"):
        opened(tmp_path, whole[:-cut], FileKind.CSV)


def test_a_last_row_without_line_feed_is_whole_when_it_has_all_columns(tmp_path):
    for content in (b"a,b\n1,2", b'a,b\n1,"two\nlines"', b'a,b\n"x\ny\nz","two\nlines"'):
        assert opened(tmp_path, content, FileKind.CSV).read_bytes() == content
    for content in (b"a,b\n1", b'a,b\n1,"two\nlin', b"a,b,c\n1,2" + b"\nx" * 60):
        with pytest.raises(Invalid, match="middle of a row"):
            opened(tmp_path, content, FileKind.CSV)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    path = written(tmp_path, b"\xef\xbb\xbf" + csv_bytes(delimiter=delimiter))
    names, found = header_of(path)
    assert (names[0], found, len(names)) == ("ProviderName", delimiter, 31)


def test_no_header_is_no_bill(tmp_path):
    for content in (b"hello\n", b""):
        with pytest.raises(Invalid, check=has_code("columns")):
            header_of(written(tmp_path, content))
    with pytest.raises(Invalid, match="not UTF-8 text"):
        header_of(written(tmp_path, b"a,\xff\n"))
