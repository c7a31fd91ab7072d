"""The result of a toolkit job: its document, shown as a table and convertible to a data frame."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import PIPE_COLUMNS
from weighbridge.core.extras import import_extra

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text

    Parts = Iterable["Table | str"]

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of one job.

    `document` is what `--json` writes; `result["metrics"]` reads it. `rows` are its metrics, one mapping per row.
    `remarks` are sentences about requested work that was not done, such as a PDF that could not be printed. rich and
    notebooks show the same table as the command line.
    """

    document: Mapping[str, Any]
    rows: tuple[Row, ...] = dataclasses.field(repr=False)
    parts: "Callable[[], Parts]" = dataclasses.field(repr=False, compare=False)
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Turn tuples and enumerations of the document into JSON's own types."""
        object.__setattr__(self, "document", json.loads(json.dumps(self.document)))

    def __getitem__(self, key: str) -> Any:
        """Return one entry of the document."""
        return self.document[key]

    def __repr__(self) -> str:
        """Return the schema of the document, because the document itself may be long."""
        return f"<Result {self.document.get('schema', 'of a job')}>"

    def to_dict(self) -> dict[str, Any]:
        """Return the document in JSON's own types."""
        return dict(self.document)

    def to_pandas(self) -> Any:
        """Return the rows as a `pandas.DataFrame`; raise ExtraMissing if pandas is not installed."""
        return import_extra("pandas").DataFrame([dict(row) for row in self.rows])

    def to_polars(self) -> Any:
        """Return the rows as a `polars.DataFrame`; raise ExtraMissing if Polars is not installed."""
        return import_extra("polars").DataFrame([dict(row) for row in self.rows], infer_schema_length=None)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Table | Text]":
        """Yield the parts that rich prints."""
        from rich.text import Text

        yield from (Text(part) if isinstance(part, str) else part for part in self.parts())

    def _repr_html_(self) -> str:
        """Return the HTML for a notebook; all content is escaped."""
        from rich.console import Console

        console = Console(record=True, file=io.StringIO(), width=PIPE_COLUMNS, highlight=False)
        console.print(self)
        return console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")


def metric_rows(metrics: Mapping[str, Mapping[str, Any]], **labels: Any) -> Iterator[Row]:
    """Yield a row for each metric: `labels`, then metric, value, lower, upper, unit, confidence, n."""
    keys = ("value", "lower", "upper", "unit", "confidence", "n")
    for name, metric in metrics.items():
        yield {**labels, "metric": name, **{key: metric.get(key) for key in keys}}
