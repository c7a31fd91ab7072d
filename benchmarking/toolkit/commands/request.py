"""`weighbridge request`."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarking.toolkit.commands.connection import ServerOption, TokenOption, server_at
from benchmarking.toolkit.commands.exits import NO, UNCLEAR, stop
from governance.domain.refusals import Refused


def create(
    file: Annotated[Path, typer.Argument(help="The request as YAML.")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File a model review request: uploads the model and the data set it names, and submits it if it says so."""
    import uuid

    from benchmarking.toolkit.filing import file_request
    from benchmarking.toolkit.request_file import read_request_file
    from benchmarking.toolkit.server import ServerRefused

    try:
        wanted = read_request_file(file)
        ref = file_request(wanted, server=server_at(server, token), key=uuid.uuid4().hex, say=typer.echo)
    except ServerRefused as refused:
        stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    typer.echo(ref)
