"""`weighbridge request`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, stop
from weighbridge.cli.server.connection import ServerOption, TokenOption, server_at
from weighbridge.core.errors import Refused


def create(
    file: Annotated[Path, typer.Argument(help="The request as YAML.")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File a model review request: uploads the model and the data set it names, and submits it if it says so."""
    import uuid

    from weighbridge.client.request_file import read_request_file
    from weighbridge.client.server import ServerRefused
    from weighbridge.client.submission import file_request

    try:
        wanted = read_request_file(file)
        ref = file_request(wanted, server=server_at(server, token), key=uuid.uuid4().hex, say=typer.echo)
    except ServerRefused as refused:
        stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    typer.echo(ref)
