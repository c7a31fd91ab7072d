"""`weighbridge request draft`: file the request of a repository, or update its draft."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, errors_as_exits, stop
from weighbridge.cli.server import ServerOption, TokenOption, server_at

if TYPE_CHECKING:
    from weighbridge.client.drafts.filing import Drafted
    from weighbridge.client.request_file import RequestFile
    from weighbridge.client.server import PlatformServer


def draft(
    file: Annotated[Path, typer.Argument(help="The review request, a YAML file.")],
    markdown: Annotated[
        Path | None, typer.Option(help="Write a comment for a pull request, with the standing, to this file.")
    ] = None,
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File a request, or update its draft.

    The request of the same model, purpose and environment is updated while it is a draft, and left alone afterwards.
    The last line is its reference. Exit codes: 0 done, 1 refused, 2 bad input or no answer.
    """
    from weighbridge.client.drafts.comment import comment_of
    from weighbridge.client.feed.document import write_whole
    from weighbridge.client.request_file import read_request_file

    with errors_as_exits(writes=(markdown,)):
        request, asked = read_request_file(file), server_at(server, token)
        drafted, gate = filed(request, server=asked)
        if markdown is not None:
            write_whole(markdown, comment_of(drafted, gate))
    say(drafted)


def filed(request: "RequestFile", *, server: "PlatformServer") -> "tuple[Drafted, dict[str, object]]":
    """Return the request that was filed or updated, and the answer of the gate; exit with the code of a refusal."""
    import uuid

    from weighbridge.client.drafts.filing import file_draft
    from weighbridge.client.server import ServerRefused

    try:
        drafted = file_draft(request, server=server, key=uuid.uuid4().hex, report=typer.echo)
        return drafted, server.get("/api/v1/gate/", subject=drafted.digest, env=drafted.environment)
    except ServerRefused as refused:
        stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)


def say(drafted: "Drafted") -> None:
    """Print what was done; the last line is the reference."""
    typer.echo(f"{drafted.done}; it is {drafted.state.replace('_', ' ')}: {drafted.url}")
    typer.echo(drafted.ref)
