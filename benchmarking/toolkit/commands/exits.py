"""How a command ends: its exit code, its words on standard error, and the file it leaves."""

from pathlib import Path
from typing import NoReturn

import typer

from governance.domain.refusals import Invalid

DONE, NO, UNCLEAR, INTERRUPTED = 0, 1, 2, 130


def stop(reason: str, *, code: int = UNCLEAR) -> NoReturn:
    """Say why on standard error and end with `code`."""
    typer.echo(f"weighbridge: {reason}", err=True)
    raise typer.Exit(code)


def write_json(path: Path, result: object) -> None:
    """Write a result as JSON; raise Invalid where the file cannot be written."""
    import json

    try:
        path.write_text(json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise Invalid(f"The result cannot be written to {path}: {error.strerror}.", field="json") from error
