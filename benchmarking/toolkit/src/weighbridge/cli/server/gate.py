"""`weighbridge gate`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, UNCLEAR, stop
from weighbridge.cli.server.connection import ServerOption, TokenOption, server_at
from weighbridge.core.errors import Refused


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

    try:
        check_digest(digest)
        if statement is not None and public_key is not None:
            now = datetime.fromtimestamp(time.time(), UTC)
            reply = ask_statement(statement, public_key=public_key, digest=digest, environment=env, now=now)
        elif statement is not None or public_key is not None:
            stop("Give --statement and --public-key together.")
        else:
            reply = ask_server(server_at(server, token), digest=digest, environment=env)
    except Refused as refused:
        stop(refused.reason)
    until = f" until {reply.expires_at}" if reply.expires_at else ""
    typer.echo(f"{reply.answer}{until}: {' '.join(reply.reasons) or 'no reason given.'}")
    raise typer.Exit({GateVerdict.ALLOWED: DONE, GateVerdict.REFUSED: NO, GateVerdict.UNKNOWN: UNCLEAR}[reply.answer])
