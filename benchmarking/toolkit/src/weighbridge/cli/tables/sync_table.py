"""The table of what became of the requests in a folder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weighbridge.client.bulk.sync import SyncLine

if TYPE_CHECKING:
    from rich.table import Table


def sync_table(lines: Sequence[SyncLine]) -> "Table":
    """Return one row for each request: file and line, outcome, reference, reason."""
    from rich.table import Table
    from rich.text import Text

    table = Table("request", "outcome", "reference", "reason")
    for line in lines:
        table.add_row(*map(Text, (line.source, line.outcome.value, line.ref, line.reason)))
    return table
