"""Exit codes of commands, error messages on standard error, and result files."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

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
def errors_as_exits(
    *, interrupted: str = "Interrupted; no result was written.", writes: Sequence[Path | None] = ()
) -> Iterator[None]:
    """Turn errors, interrupts and missing extras into a message and an exit code.

    Files that will be written are checked first, so that no run is lost for a wrong name.
    """
    from weighbridge.api.documents import check_writable

    try:
        for file in writes:
            check_writable(file, field="json")
        yield
    except Refused as refused:
        stop(refused.reason, code=_code_of(refused))
    except KeyboardInterrupt:
        stop(interrupted, code=INTERRUPTED)


def code_of_search(document: "Mapping[str, Any]") -> int:
    """Return the exit code of a search of the highest rate: found, none in the range, or cannot tell."""
    if document["reason"] == "no_pass_in_range":
        return NO
    if document["highest_rate_per_s"] is None:
        return UNCLEAR
    return NO if document["verdict"]["status"] == "invalid" else DONE


def _code_of(refused: Refused) -> int:
    return INTERRUPTED if refused.code == "run_canceled" else UNCLEAR


@contextmanager
def partial_results(
    result_of: "Callable[[Mapping[str, Any]], Result]", json_file: Path | None, *, is_quiet: bool
) -> Iterator[None]:
    """Output the partial result of a run that ends early and exit; a run without one passes its error on."""
    from weighbridge.systems.sandbox.process import RunIncomplete

    try:
        yield
    except RunIncomplete as ended:
        if ended.partial is None:
            raise
        output(result_of(ended.partial), json_file, is_quiet=is_quiet)
        stop(f"{ended.reason} The result is partial.", code=_code_of(ended))


def output(result: "Result", json_file: Path | None, *, is_quiet: bool) -> None:
    """Write the result to `json_file`, print it and its remarks.

    With `-` the document goes to standard output and the table to standard error. If the file cannot be written, the
    result is printed all the same, and then Invalid is raised.
    """
    from weighbridge.api.documents import is_standard_output, json_text_of, write_json
    from weighbridge.cli.tables.terminal import show

    is_piped, failed = is_standard_output(json_file), None
    try:
        write_json(None if is_piped else json_file, result.document)
    except Refused as refused:
        failed = refused
    for remark in result.remarks:
        typer.echo(f"weighbridge: {remark}", err=True)
    if not is_quiet or failed is not None:
        show(result.parts(), sys.stderr if is_piped else sys.stdout)
    if is_piped:
        sys.stdout.write(json_text_of(result.document))
    if failed is not None:
        raise failed
