"""`weighbridge request`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, stop
from weighbridge.cli.server.connection import ServerOption, TokenOption, server_at
from weighbridge.core.errors import Refused


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

    try:
        request = read_request_file(file)
        ref = file_request(request, server=server_at(server, token), key=uuid.uuid4().hex, report=typer.echo)
    except ServerRefused as refused:
        stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    typer.echo(ref)
