"""The options --server and --token, shared by all commands that call a server."""

from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import stop

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
