"""How a command ends: its exit code, its words on standard error, and the file it leaves."""

from pathlib import Path
from typing import Any, NoReturn

import typer

from weighbridge.core.errors import Invalid

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


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise Invalid where there is none."""
    import json

    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", field="file") from error
    except ValueError as error:
        raise Invalid(f"{path} is no JSON: {error}.", field="file") from error
    if not isinstance(document, dict):
        raise Invalid(f"{path} holds no result: its outermost value is not an object.", field="file")
    return document
