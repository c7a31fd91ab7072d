"""The report of a bill, which is stored with it and shown on its page."""

from decimal import Decimal
from typing import Any

from governance.bills.domain.aggregation import AggregatedBill
from governance.bills.domain.columns import SERVICE_CATEGORIES
from governance.bills.domain.file_kind import bad_file
from governance.bills.domain.header import HeaderMap

NAMES_MAX = 20


def report_of(gathered: AggregatedBill, header: HeaderMap | None = None, *, name: str = "scheduler") -> dict[str, Any]:
    """Rows read, kept and refused (with examples), totals by slice, and notes. Raises Invalid if no row was kept.

    `name` is the format of a file that is no bill in the FOCUS format.
    """
    check_kept(gathered)
    return {
        "format": f"FOCUS {header.version}" if header else name,
        "rows_read": gathered.rows_read,
        "rows_kept": gathered.rows_kept,
        "lines": gathered.lines.height,
        "refused": [{**vars(each), "examples": list(each.examples)} for each in gathered.refused],
        "slices": [
            {
                "provider": each.provider,
                "billing_account": each.billing_account,
                "period": each.period.isoformat(),
                "rows": each.rows,
                "gpu_hours": plain_text(each.gpu_hours),
                "totals": [
                    {"currency": currency, "billed": plain_text(billed), "effective": plain_text(effective)}
                    for currency, (billed, effective) in each.totals.items()
                ],
            }
            for each in gathered.slices
        ],
        "notes": notes_of(gathered, header),
    }


def check_kept(gathered: AggregatedBill) -> None:
    """Raise Invalid, with the most frequent reason, if no row was accepted."""
    if gathered.rows_read == 0:
        raise bad_file("no_rows", "The file has a header but no rows.")
    if gathered.rows_kept == 0:
        most = max(gathered.refused, key=lambda each: each.rows)
        raise bad_file(
            "no_rows",
            f"None of the {gathered.rows_read:,} rows can be accepted. Reason for {most.rows:,} rows: {most.reason} "
            f"({most.examples[0]}).",
        )


def notes_of(gathered: AggregatedBill, header: HeaderMap | None) -> list[str]:
    """Notes that reject no rows, as sentences."""
    notes = []
    if gathered.has_zoneless_times:
        notes.append("Times without a time zone were read as UTC.")
    if header and header.missing:
        notes.append(f"These columns are required by FOCUS but missing in the file: {_listed(header.missing)}.")
    if header and header.extra:
        notes.append(f"Columns that are not part of FOCUS were ignored: {_listed(header.extra)}.")
    for currency, amount in gathered.set_aside.items():
        notes.append(
            f"Purchases of commitments carry an effective cost of {amount} {currency}; it is left out, because the "
            "rows of their use carry it again. Their billed cost counts."
        )
    if gathered.rows_with_unreadable_tags:
        rows = gathered.rows_with_unreadable_tags
        notes.append(f"The tags of {rows:,} rows are not a JSON object; the rows count as untagged.")
    if gathered.unmatched_meters:
        meters = tuple(meter or "no meter" for meter in gathered.unmatched_meters)
        notes.append(
            f"Tokens of these meters have no known model or direction; they are kept as unmatched: {_listed(meters)}."
        )
    unknown = sorted(set(gathered.lines["service_category"]) - set(SERVICE_CATEGORIES) - {""}) if header else []
    if unknown:
        notes.append(f"FOCUS has no service category {_listed(tuple(unknown))}; the rows were accepted.")
    return notes


def plain_text(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    return format(value.normalize() + Decimal(0), "f")


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return ", ".join(names[:NAMES_MAX]) + more
