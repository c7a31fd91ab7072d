"""Exit codes of commands, error messages on standard error, and result files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from weighbridge.api.results import Result

DONE, NO, UNCLEAR, INTERRUPTED = 0, 1, 2, 130


def stop(reason: str, *, code: int = UNCLEAR) -> NoReturn:
    """Print the reason on standard error and exit with `code`."""
    typer.echo(f"weighbridge: {reason}", err=True)
    raise typer.Exit(code)


@contextmanager
def errors_as_exits(*, interrupted: str = "Interrupted; no result was written.") -> Iterator[None]:
    """Turn errors, interrupts and missing extras into a message and an exit code."""
    try:
        yield
    except Refused as refused:
        stop(refused.reason, code=INTERRUPTED if refused.code == "run_canceled" else UNCLEAR)
    except KeyboardInterrupt:
        stop(interrupted, code=INTERRUPTED)


def output(result: "Result", json_file: Path | None, *, is_quiet: bool) -> None:
    """Write the result to `json_file`, print it and its remarks; raise Invalid if the file cannot be written."""
    from weighbridge.api.documents import write_json
    from weighbridge.cli.tables.terminal import show

    if json_file is not None:
        write_json(json_file, result.document)
    for remark in result.remarks:
        typer.echo(f"weighbridge: {remark}", err=True)
    if not is_quiet:
        show(result.parts(), sys.stdout)
