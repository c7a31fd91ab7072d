"""Exit codes of commands, error messages on standard error, and result files."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

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
    *,
    interrupted: str = "Interrupted; no result was written.",
    writes: Sequence[Path | None] = (),
    keeps: Sequence[Path | None] = (),
) -> Iterator[None]:
    """Turn errors, interrupts and missing extras into a message and an exit code.

    Files that will be written are checked first, so that no run is lost for a wrong name; at most one of `writes` is
    standard output, and none of the files and folders `keeps`.
    """
    from weighbridge.api.documents import check_kept, check_writable, is_standard_output

    try:
        if sum(map(is_standard_output, writes)) > 1:
            stop("Only one of the files can be standard output (-).")
        for file in writes:
            check_writable(file, field="json")
        for path in keeps:
            check_kept(path)
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


def stream_beside(*files: Path | None) -> TextIO:
    """Return where people read: standard error if one of the files is standard output, which programs read then."""
    from weighbridge.api.documents import is_standard_output

    return sys.stderr if any(map(is_standard_output, files)) else sys.stdout


def output(result: "Result", json_file: Path | None, *, is_quiet: bool, beside: Sequence[Path | None] = ()) -> None:
    """Write the result to `json_file`, print it and its remarks.

    If `json_file`, or one of the files `beside` it, is `-`, the table goes to standard error. If the file cannot be
    written, the result is printed all the same, and then Invalid is raised.
    """
    from weighbridge.api.documents import is_standard_output, write_json
    from weighbridge.cli.tables.terminal import show

    is_piped, failed = is_standard_output(json_file), None
    try:
        write_json(None if is_piped else json_file, result.document)
    except Refused as refused:
        failed = refused
    for remark in result.remarks:
        typer.echo(f"weighbridge: {remark}", err=True)
    if not is_quiet or failed is not None:
        show(result.parts(), stream_beside(json_file, *beside))
    if is_piped:
        write_json(json_file, result.document)
    if failed is not None:
        raise failed
