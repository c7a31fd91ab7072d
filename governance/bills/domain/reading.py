"""A bill as a lazy Polars frame with FOCUS column names, numbers as decimals and all other columns as text."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from governance.bills.domain.columns import COLUMNS, NUMBERS
from governance.bills.domain.file_kind import HEAD_BYTES, FileKind, bad_file, header_of
from governance.bills.domain.header import HeaderMap, map_header

NULLS = ["", "NULL", "null", "Null", "\\N", "None"]
DIGITS, SCALE, PLACES = 38, 18, 12  # numbers are summed with 18 decimals and stored with 12, rounded half to even
FIRST_ROW = 2  # the header is row 1


@dataclass(frozen=True)
class Source:
    """A file and its mapped header. It can be scanned repeatedly."""

    path: Path
    kind: FileKind
    header: HeaderMap
    delimiter: str = ","

    def scan(self) -> pl.LazyFrame:
        """All rows with the FOCUS columns, as text. A missing column is null."""
        lazy = self._scan_parquet() if self.kind is FileKind.PARQUET else self._scan_csv()
        found = self.header.columns
        return lazy.with_columns(*(pl.lit(None, pl.String).alias(one.name) for one in COLUMNS if one.name not in found))

    def _scan_csv(self) -> pl.LazyFrame:
        lazy = pl.scan_csv(
            self.path,
            separator=self.delimiter,
            infer_schema=False,
            null_values=NULLS,
            row_index_name="row",
            row_index_offset=FIRST_ROW,
        )
        spelled = dict(zip(header_of(self.path)[0], lazy.collect_schema().names()[1:], strict=True))
        return lazy.select("row", *(pl.col(spelled[own]).alias(name) for name, own in self.header.columns.items()))

    def _scan_parquet(self) -> pl.LazyFrame:
        lazy = pl.scan_parquet(self.path, row_index_name="row", row_index_offset=FIRST_ROW)
        schema = lazy.collect_schema()
        wanted = (_as_text(pl.col(own), schema[own], name) for name, own in self.header.columns.items())
        return lazy.select("row", *wanted)


def open_source(path: Path, *, kind: FileKind) -> Source:
    """Open a file and map its header. Raises Invalid for a header that is not FOCUS, or for a damaged Parquet file."""
    if kind is not FileKind.PARQUET:
        names, delimiter = header_of(path, kind=kind)
        return Source(path, kind, map_header(names), delimiter)
    try:
        names = list(pl.read_parquet_schema(path))
    except pl.exceptions.PolarsError as error:
        raise bad_file("damaged", f"The Parquet file is damaged ({error}). Send it again.") from error
    return Source(path, kind, map_header(names))


def rows_estimated(path: Path, *, kind: FileKind) -> int:
    """The number of rows of a decompressed file: exact for Parquet, by the length of the first rows for CSV."""
    if kind is FileKind.PARQUET:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return max(1, path.stat().st_size * head.count(b"\n") // max(len(head), 1))


def decimals(name: str) -> pl.Expr:
    """A column as exact decimals with 18 places; null if the text is not a number."""
    return pl.col(name).cast(pl.Decimal(DIGITS, SCALE), strict=False)


def _as_text(column: pl.Expr, kind: pl.DataType, name: str) -> pl.Expr:
    """A typed Parquet column as text, as in a CSV; numbers stay numbers."""
    if name in NUMBERS and kind.is_numeric():
        return column.alias(name)
    if isinstance(kind, pl.Datetime):
        zoned = column.dt.convert_time_zone("UTC") if kind.time_zone else column
        return zoned.dt.to_string("%Y-%m-%dT%H:%M:%S" + ("Z" if kind.time_zone else "")).alias(name)
    if isinstance(kind, pl.Struct):
        return column.struct.json_encode().alias(name)
    if isinstance(kind, pl.List):
        inner = kind.inner
        encoded = pl.element().struct.json_encode() if isinstance(inner, pl.Struct) else pl.element().cast(pl.String)
        return pl.format("[{}]", column.list.eval(encoded).list.join(",")).alias(name)
    text = column.cast(pl.String)
    return pl.when(text.is_in(NULLS)).then(None).otherwise(text).alias(name)
