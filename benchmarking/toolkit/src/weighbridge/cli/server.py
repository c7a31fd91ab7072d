"""`weighbridge gate` and `weighbridge request`: the commands that call a Weighbridge server."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import DONE, NO, UNCLEAR, errors_as_exits, stop

if TYPE_CHECKING:
    from weighbridge.client.server import PlatformServer

ServerOption = Annotated[str, typer.Option("--server", envvar="WEIGHBRIDGE_URL", help="Address of the server.")]
TokenOption = Annotated[str, typer.Option("--token", envvar="WEIGHBRIDGE_TOKEN", help="Your API token.")]


def server_at(url: str, token: str) -> "PlatformServer":
    """Return a client for the server; exit with an error if the address or the token is missing."""
    from weighbridge.client.server import PlatformServer

    if not url or not token:
        stop("Give a server and a token with --server and --token, or set WEIGHBRIDGE_URL and WEIGHBRIDGE_TOKEN.")
    return PlatformServer(url.rstrip("/"), token)


def gate(
    digest: Annotated[str, typer.Argument(help="Digest of the artifact, sha256:...")],
    env: Annotated[str, typer.Option(help="Environment to deploy to.")],
    server: ServerOption = "",
    token: TokenOption = "",
    statement: Annotated[Path | None, typer.Option(help="Signed statement, for an offline check.")] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) of the server that signed the statement.")
    ] = None,
) -> None:
    """Check whether an artifact may be deployed to an environment: 0 allowed, 1 refused, 2 cannot tell."""
    from datetime import UTC, datetime

    from weighbridge.client.gate import GateVerdict, ask_server, ask_statement, check_digest

    with errors_as_exits():
        check_digest(digest)
        if statement is not None and public_key is not None:
            now = datetime.fromtimestamp(time.time(), UTC)
            reply = ask_statement(statement, public_key=public_key, digest=digest, environment=env, now=now)
        elif statement is not None or public_key is not None:
            stop("Give --statement and --public-key together.")
        else:
            reply = ask_server(server_at(server, token), digest=digest, environment=env)
    until = f" until {reply.expires_at}" if reply.expires_at else ""
    typer.echo(f"{reply.answer}{until}: {' '.join(reply.reasons) or 'no reason given.'}")
    raise typer.Exit({GateVerdict.ALLOWED: DONE, GateVerdict.REFUSED: NO, GateVerdict.UNKNOWN: UNCLEAR}[reply.answer])


def create(
    file: Annotated[Path, typer.Argument(help="The review request, a YAML file.")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File a model review request: upload its model and data set, and submit it if the file has `submit: true`."""
    import uuid

    from weighbridge.client.request_file import read_request_file
    from weighbridge.client.server import ServerRefused
    from weighbridge.client.submission import file_request

    with errors_as_exits():
        request = read_request_file(file)
        try:
            ref = file_request(request, server=server_at(server, token), key=uuid.uuid4().hex, report=typer.echo)
        except ServerRefused as refused:
            stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    typer.echo(ref)
