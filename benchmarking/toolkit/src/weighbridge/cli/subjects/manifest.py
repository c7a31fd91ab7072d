"""`weighbridge manifest`: the digests of a folder of files, and what of it differs from a manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import NO, errors_as_exits, output
from weighbridge.cli.option_rules import NotWith

if TYPE_CHECKING:
    from weighbridge.subjects import Subject


def manifest(
    folder: Annotated[Path, typer.Argument(help="The folder, such as a repository of weights.")],
    verify: Annotated[
        Path | None, typer.Option(help="Manifest, or statement of an OpenSSF model signature, to compare with.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Path in the folder to leave out, besides those of Git; repeatable.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the manifest to this file."), NotWith("--verify")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Print the digest of a folder, or verify its files.

    The digest is the root digest of OpenSSF model signing. With --verify, missing, added and changed files are listed.
    Exit codes: 0 done or no difference, 1 the folder differs, 2 bad input.
    """
    from weighbridge.api.results import Result
    from weighbridge.subjects import document_of
    from weighbridge.subjects.folder import IGNORED, manifest_of

    with errors_as_exits(writes=(json_file,)):
        ignored = (*IGNORED, *(ignore or ()), *_inside(folder, json_file), *_inside(folder, verify))
        if verify is not None:
            _compare(folder, verify, ignored, is_quiet=quiet)
        else:
            found = manifest_of(folder, ignored)
            document = document_of(found)
            output(Result(document, tuple(document["files"]), lambda: [found.digest]), json_file, is_quiet=quiet)


def _compare(folder: Path, file: Path, ignored: Sequence[str], *, is_quiet: bool) -> None:
    """Print the differences and exit 1, if there are any."""
    from weighbridge.subjects.folder import verify

    kept = _read(file)
    differences = verify(kept, folder, ignored)
    if not is_quiet:
        for each in differences:
            typer.echo(f"{each.change} {each.path}")
    if differences:
        raise typer.Exit(NO)
    if not is_quiet:
        typer.echo(f"no difference from {kept.digest}")


def _read(file: Path) -> "Subject":
    """Return the manifest in a file, or that of a statement of model signing, whose signature is not checked."""
    from weighbridge.api.documents import read_json
    from weighbridge.subjects import parse_subject, subject_of_statement

    document = read_json(file)
    return subject_of_statement(document) if "_type" in document else parse_subject(document)


def _inside(folder: Path, file: Path | None) -> tuple[str, ...]:
    """Return the path of a file relative to the folder that it lies in, since a manifest does not list itself."""
    if file is None or not file.absolute().is_relative_to(folder.absolute()):
        return ()
    return (file.absolute().relative_to(folder.absolute()).as_posix(),)
