"""How a command ends: its exit code, its words on standard error, and the file it leaves."""

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
    """Say why on standard error and end with `code`."""
    typer.echo(f"weighbridge: {reason}", err=True)
    raise typer.Exit(code)


@contextmanager
def refusals_told(*, interrupted: str = "Interrupted; there is no result.") -> Iterator[None]:
    """Turn refusals, interruptions and missing extras into a sentence and an exit code."""
    try:
        yield
    except Refused as refused:
        stop(refused.reason, code=INTERRUPTED if refused.code == "run_canceled" else UNCLEAR)
    except KeyboardInterrupt:
        stop(interrupted, code=INTERRUPTED)


def give(result: "Result", json_file: Path | None, *, is_quiet: bool) -> None:
    """Write the result where it is wanted, show it, and say what could not be done; raise Invalid for the file."""
    from weighbridge.api.documents import write_json
    from weighbridge.cli.tables.terminal import show

    if json_file is not None:
        write_json(json_file, result.document)
    for remark in result.remarks:
        typer.echo(f"weighbridge: {remark}", err=True)
    if not is_quiet:
        show(result.parts(), sys.stdout)
