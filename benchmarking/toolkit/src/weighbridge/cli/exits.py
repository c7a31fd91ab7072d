"""Exit codes of commands, error messages on standard error, and the files that commands write."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer
from typer.core import TyperCommand

from weighbridge.cli.option_rules import check_options
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from weighbridge.api.results import Result

DONE, NO, UNCLEAR, INTERRUPTED = 0, 1, 2, 130
# The parameters of commands that name files to write; every other path is read.
WRITTEN = frozenset(("json_file", "out", "chart", "junit", "markdown", "hdr"))


class CarefulCommand(TyperCommand):
    """A command that overwrites no file that it reads, and ignores no option that it is given."""

    def invoke(self, ctx: Any) -> Any:
        """Check the files and options that were named, and run the command."""
        with errors_as_exits():
            check_options(ctx)
            check_files(ctx.params)
        return super().invoke(ctx)


def check_files(values: Mapping[str, Any]) -> None:
    """Raise Invalid if a file to write is also one to read, or is written twice; `values` are by parameter."""
    written = [path for name in values if name in WRITTEN for path in _paths(values[name]) if path != Path("-")]
    read = [path for name in values if name not in WRITTEN for path in _paths(values[name])]
    for place, path in enumerate(written):
        if any(_is_same_file(path, other) for other in read):
            text = f"{path} is a file that this command reads, and would be overwritten; give another name to write to."
            raise Invalid(text, code="overwrites", field="out")
        if path.absolute() in [other.absolute() for other in written[:place]]:
            text = f"Two files would be written to {path}; give each a name of its own."
            raise Invalid(text, code="overwrites", field="out")


def _paths(value: Any) -> Iterator[Path]:
    """Yield the files that a value may name: a path, a text like NAME=FILE, or a list of them."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, str):
        yield from (Path(text) for text in (value, value.partition("=")[2]) if text)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.is_file() and one.samefile(other)
    except (OSError, ValueError):
        return False


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
