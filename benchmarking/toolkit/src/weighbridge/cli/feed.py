"""`weighbridge feed`: mirror the feed in a file, prove an entry, and fetch the public key."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits
from weighbridge.cli.server import PublicKeyOption, ServerOption, TokenOption, server_at
from weighbridge.client.integrations.litellm.command import litellm
from weighbridge.client.integrations.mlflow.command import mlflow_draft, mlflow_promote


def pull(
    file: Annotated[Path, typer.Argument(help="The feed file; an existing one is continued.")],
    public_key: PublicKeyOption,
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Bring a feed file up to date, with a fresh head. A history that does not continue the file is refused."""
    from weighbridge.client.feed.keys import read_public_keys
    from weighbridge.client.feed.pulling import pull as pull_feed

    with errors_as_exits():
        found = pull_feed(file, server=server_at(server, token), keys=read_public_keys(public_key))
    head = found.head
    typer.echo(f"{head.size} entries, root {head.root}, valid until {head.expires_at:%Y-%m-%d %H:%M:%S} UTC")


def prove(
    position: Annotated[int, typer.Argument(min=1, help="Position of the entry.")],
    public_key: PublicKeyOption,
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Have the server prove that an entry is in the feed.

    The entry is printed.
    """
    from weighbridge.client.feed.keys import read_public_keys
    from weighbridge.client.feed.pulling import prove as prove_entry

    with errors_as_exits():
        entry, head = prove_entry(position, server=server_at(server, token), keys=read_public_keys(public_key))
    typer.echo(f"{entry.digest} {entry.environment} {entry.standing} at {entry.at}: entry {position} of {head.size}")


def keys(
    file: Annotated[Path, typer.Argument(help="The PEM file to write.")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Fetch the public key of the server once, over TLS. Compare its ID with your operators before you trust it."""
    from weighbridge.client.feed.document import write_whole
    from weighbridge.core import attestation

    with errors_as_exits():
        text = str(server_at(server, token).get("/api/v1/keys/").get("public_key_pem"))
        key_id = attestation.key_id(text)
        write_whole(file, text)
    typer.echo(key_id)


COMMANDS: Mapping[str, Callable[..., None]] = {
    "pull": pull,
    "prove": prove,
    "keys": keys,
    "litellm": litellm,
    "mlflow-promote": mlflow_promote,
    "mlflow-draft": mlflow_draft,
}
