"""The pipeline for one file: decompress, check, read, aggregate and report, with progress.

What needs Polars is imported with the first bill, so that processes that read none do without it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.bills.domain.file_kind import FileKind, UnpackLimits, bad_file, decompress, header_of, kind_of
from governance.budgets.domain.quarters import next_month
from weighbridge.core.errors import TooLarge

if TYPE_CHECKING:
    from governance.bills.domain.aggregation import AggregatedBill

YEARS_BACK = 10
OnShare = Callable[[float, str], None]
UNPACKED_SHARE = 0.3
FOCUS = "focus"


@dataclass(frozen=True)
class BillFile:
    """A file to read: its original name, its kind (`focus`, a scheduler or an export), and its cluster or account."""

    name: str
    kind: str = FOCUS
    cluster: str = ""


def sniff(path: Path, order: BillFile) -> None:
    """Raise Invalid if the first bytes already show that the file is not of the expected kind."""
    from governance.bills.domain import reading
    from governance.bills.domain.usage import exports, scheduler

    kind = kind_of(path, name=order.name)
    if order.kind == FOCUS:
        reading.open_source(path, kind=kind)
        return
    _check_text(kind)
    if order.kind in exports.EXPORTS:
        exports.check_start(path, kind=kind, export=exports.Export(order.kind))
        return
    scheduler.check_header(header_of(path, kind=kind)[0], scheduler=scheduler.Scheduler(order.kind))


def check_month(month: date, *, today: date) -> None:
    """Raise Invalid unless bills of this month are plausible: of the last ten years, and not later than next month."""
    if not today.year - YEARS_BACK <= month.year or month.replace(day=1) > next_month(today):
        raise bad_file(
            "implausible_month",
            f"The file has charges of {month:%Y-%m}. Bills can be of the last {YEARS_BACK} years, up to next month.",
        )


def read_bill(
    path: Path, order: BillFile, *, folder: Path, caps: UnpackLimits, on_share: OnShare
) -> "tuple[AggregatedBill, dict[str, Any]]":
    """The aggregated lines and the report. Raises Invalid or TooLarge if the file cannot be counted as a whole.

    `on_share` is called with a share from 0 to 1 and a phase, and may raise to stop. `folder` is for the decompressed
    file.
    """
    from governance.bills.domain.aggregation import aggregate
    from governance.bills.domain.reading import open_source, rows_estimated
    from governance.bills.domain.report import report_of
    from governance.bills.domain.usage.exports import EXPORTS, Export, convert_export
    from governance.bills.domain.usage.scheduler import Scheduler, aggregate_usage

    def on_bytes(done: int) -> None:
        on_share(UNPACKED_SHARE * done / (done + 4 * size), "unpacking")

    kind, size = kind_of(path, name=order.name), max(path.stat().st_size, 1)
    is_export = order.kind in EXPORTS
    unpacked = decompress(path, kind=kind, folder=folder, caps=caps, on_bytes=on_bytes, is_table=not is_export)
    kind = FileKind.CSV if kind is FileKind.GZIP else kind
    if is_export:
        _check_text(kind)
        unpacked = convert_export(
            unpacked,
            folder / "focus.csv",
            export=Export(order.kind),
            account=order.cluster,
            rows_max=caps.rows,
            on_rows=lambda rows: on_share(UNPACKED_SHARE, f"{rows:,} rows converted"),
        )
    row_counter = RowCounter(rows_estimated(unpacked, kind=kind), caps, on_share)
    if is_export:
        gathered = aggregate(open_source(unpacked, kind=kind), on_rows=row_counter)
        return gathered, report_of(gathered, name=order.kind)
    if order.kind == FOCUS:
        source = open_source(unpacked, kind=kind)
        gathered = aggregate(source, on_rows=row_counter)
        return gathered, report_of(gathered, source.header)
    _check_text(kind)
    gathered = aggregate_usage(unpacked, scheduler=Scheduler(order.kind), cluster=order.cluster, on_rows=row_counter)
    return gathered, report_of(gathered)


class RowCounter:
    """Counts rows, reports progress, and rejects files with too many rows."""

    def __init__(self, estimated: int, caps: UnpackLimits, on_share: OnShare) -> None:
        """Start at zero of `estimated` rows."""
        self.rows, self.estimated, self.caps, self.on_share = 0, estimated, caps, on_share

    def __call__(self, rows: int) -> None:
        """Add `rows`, from any thread. Raises TooLarge above the limit."""
        self.rows += rows
        if self.rows > self.caps.rows:
            reason = f"The file has more than the {self.caps.rows:,} rows allowed. Split it by billing period."
            raise TooLarge(reason, field="file")
        share = min(self.rows / max(self.estimated, self.rows), 1.0)
        self.on_share(UNPACKED_SHARE + (0.9 - UNPACKED_SHARE) * share, f"{self.rows:,} rows read")


def _check_text(kind: FileKind) -> None:
    if kind is FileKind.PARQUET:
        raise bad_file("mislabeled", "Accounting must be CSV, not Parquet; exports must be JSON or CSV.")
