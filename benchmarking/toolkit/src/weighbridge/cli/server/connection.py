"""Where the server is and who asks: two options shared by the commands that talk to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import stop

if TYPE_CHECKING:
    from weighbridge.client.server import PlatformServer

ServerOption = Annotated[str, typer.Option("--server", envvar="WEIGHBRIDGE_URL", help="Address of the server.")]
TokenOption = Annotated[
    str, typer.Option("--token", envvar="WEIGHBRIDGE_TOKEN", help="API token of the person asking.")
]


def server_at(url: str, token: str) -> "PlatformServer":
    """Return the server to talk to; stop with what is missing where one of the two is not named."""
    from weighbridge.client.server import PlatformServer

    if not url or not token:
        stop("Name the server and a token: --server and --token, or WEIGHBRIDGE_URL and WEIGHBRIDGE_TOKEN.")
    return PlatformServer(url.rstrip("/"), token)
