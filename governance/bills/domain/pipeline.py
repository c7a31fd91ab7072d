"""The pipeline for one file: decompress, check, read, aggregate and report, with progress."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.bills.domain.aggregation import AggregatedBill, aggregate
from governance.bills.domain.file_kind import HEAD_BYTES, FileKind, UnpackLimits, decompress, header_of, kind_of
from governance.bills.domain.reading import open_source
from governance.bills.domain.report import report_of
from governance.bills.domain.scheduler import Scheduler, aggregate_usage, check_header
from weighbridge.core.errors import Invalid, TooLarge

OnShare = Callable[[float, str], None]
UNPACKED_SHARE = 0.3
FOCUS = "focus"


@dataclass(frozen=True)
class BillFile:
    """A file to read: its original name, its kind (`focus` or a scheduler), and its cluster."""

    name: str
    kind: str = FOCUS
    cluster: str = ""


def sniff(path: Path, order: BillFile) -> None:
    """Raise Invalid if the first bytes already show that the file is not of the expected kind."""
    kind = kind_of(path, name=order.name)
    if order.kind == FOCUS:
        open_source(path, kind=kind)
        return
    _check_text(kind)
    check_header(header_of(path, kind=kind)[0], scheduler=Scheduler(order.kind))


def read_bill(
    path: Path, order: BillFile, *, folder: Path, caps: UnpackLimits, on_share: OnShare
) -> tuple[AggregatedBill, dict[str, Any]]:
    """Read a file.

    Returns the aggregated lines and the report. `on_share` is called with a share from 0 to 1 and a phase, and may
    raise to stop. `folder` is for the decompressed file. Raises Invalid or TooLarge if the file cannot be counted as a
    whole.
    """
    kind = kind_of(path, name=order.name)
    size = max(path.stat().st_size, 1)
    unpacked = decompress(
        path,
        kind=kind,
        folder=folder,
        caps=caps,
        on_bytes=lambda done: on_share(UNPACKED_SHARE * done / (done + 4 * size), "unpacking"),
    )
    kind = FileKind.CSV if kind is FileKind.GZIP else kind
    row_counter = RowCounter(rows_estimated(unpacked, kind=kind), caps, on_share)
    if order.kind == FOCUS:
        source = open_source(unpacked, kind=kind)
        gathered = aggregate(source, on_rows=row_counter)
        return gathered, report_of(gathered, source.header)
    _check_text(kind)
    gathered = aggregate_usage(unpacked, scheduler=Scheduler(order.kind), cluster=order.cluster, on_rows=row_counter)
    return gathered, report_of(gathered)


def rows_estimated(path: Path, *, kind: FileKind) -> int:
    """The number of rows of a decompressed file: exact for Parquet, estimated from the length of the first rows for
    CSV.
    """
    import polars as pl

    if kind is FileKind.PARQUET:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return max(1, path.stat().st_size * head.count(b"\n") // max(len(head), 1))


class RowCounter:
    """Counts rows, reports progress, and rejects files with too many rows."""

    def __init__(self, estimated: int, caps: UnpackLimits, on_share: OnShare) -> None:
        """Start at zero of `estimated` rows."""
        self.rows, self.estimated, self.caps, self.on_share = 0, estimated, caps, on_share

    def __call__(self, rows: int) -> None:
        """Add `rows`, from any thread. Raises TooLarge above the limit."""
        self.rows += rows
        if self.rows > self.caps.rows:
            raise TooLarge(
                f"The file has more than the {self.caps.rows:,} rows allowed. Split it by billing period.",
                field="file",
            )
        share = min(self.rows / max(self.estimated, self.rows), 1.0)
        self.on_share(UNPACKED_SHARE + (0.9 - UNPACKED_SHARE) * share, f"{self.rows:,} rows read")


def _check_text(kind: FileKind) -> None:
    if kind is FileKind.PARQUET:
        raise Invalid("Scheduler accounting must be CSV, not Parquet.", field="file", code="mislabeled")
