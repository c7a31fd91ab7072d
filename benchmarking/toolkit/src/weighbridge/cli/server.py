"""`weighbridge gate` and `weighbridge request`: the commands that call a Weighbridge server."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from weighbridge.cli.exits import DONE, NO, UNCLEAR, errors_as_exits, stop

if TYPE_CHECKING:
    from weighbridge.client.feed.verdicts import GateReply
    from weighbridge.client.server import PlatformServer

ServerOption = Annotated[str, typer.Option("--server", envvar="WEIGHBRIDGE_URL", help="Address of the server.")]
TokenOption = Annotated[str, typer.Option("--token", envvar="WEIGHBRIDGE_TOKEN", help="Your API token.")]
PublicKeyOption = Annotated[
    Path, typer.Option(envvar="WEIGHBRIDGE_PUBLIC_KEY", help="PEM file with the public keys that you trust.")
]
MaxAgeOption = Annotated[
    float | None, typer.Option(min=0.0, help="Seconds since the signature; demands more than its own expiry.")
]


def server_at(url: str, token: str) -> "PlatformServer":
    """Return a client for the server; exit with an error if the address or the token is missing."""
    from weighbridge.client.server import PlatformServer

    if not url or not token:
        stop("Give a server and a token with --server and --token, or set WEIGHBRIDGE_URL and WEIGHBRIDGE_TOKEN.")
    return PlatformServer(url.rstrip("/"), token)


def gate(
    digest: Annotated[str, typer.Argument(help="Digest of the artifact, sha256:...")],
    env: Annotated[str, typer.Option(help="Environment to deploy to.")],
    public_key: PublicKeyOption,
    server: ServerOption = "",
    token: TokenOption = "",
    feed: Annotated[Path | None, typer.Option(help="A feed file, for a check without the server.")] = None,
    max_age: MaxAgeOption = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until the answer must be there.")] = 10.0,
) -> None:
    """Check whether an artifact may be deployed.

    Exit codes: 0 allowed, 1 refused, 2 cannot tell.

    Only an answer that a public key of the file verifies counts.
    """
    from weighbridge.client.feed.keys import read_public_keys
    from weighbridge.client.gate import ask_feed, ask_server, check_digest, within
    from weighbridge.client.server import PlatformServer

    with errors_as_exits():
        check_digest(digest)
        age = timedelta(seconds=max_age) if max_age is not None else None
        if feed is not None:
            reply = ask_feed(feed, public_key=public_key, digest=digest, environment=env, now=clock(), max_age=age)
        else:
            asked, keys = server_at(server, token), read_public_keys(public_key)
            asked = PlatformServer(asked.url, asked.token, timeout_s=timeout)
            reply = within(
                timeout,
                lambda: ask_server(asked, digest=digest, environment=env, keys=keys, now=clock, max_age=age),
            )
    say(reply)


def say(reply: "GateReply") -> NoReturn:
    """Print the answer of a gate and exit with its code."""
    from weighbridge.client.feed.verdicts import GateVerdict

    until = f" until {reply.expires_at}" if reply.expires_at else ""
    typer.echo(f"{reply.answer}{until}: {' '.join(reply.reasons)}")
    raise typer.Exit({GateVerdict.ALLOWED: DONE, GateVerdict.REFUSED: NO, GateVerdict.UNKNOWN: UNCLEAR}[reply.answer])


def clock() -> datetime:
    """Return the time of this machine."""
    return datetime.fromtimestamp(time.time(), UTC)


def create(
    file: Annotated[Path, typer.Argument(help="The review request, a YAML file.")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File a model review request, with its model and data set.

    It is submitted if the file has `submit: true`.
    """
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


def attach(
    ref: Annotated[str, typer.Argument(help="The request, like MRR-2026-0001.")],
    files: Annotated[list[Path], typer.Argument(help="Studies, and results of other tools.")],
    part: Annotated[str, typer.Option(help="One of several results in a file.")] = "",
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Attach studies and results to a request.

    Exit codes: 0 all attached, 1 some refused, 2 some unclear.

    A file that is on record already is refused.
    """
    from weighbridge.client.attachments import attach_files

    found = []
    with errors_as_exits():
        for each in attach_files(files, ref=ref, part=part, server=server_at(server, token)):
            found.append(each)
            typer.echo(f"{each.file}: {' '.join(each.sentences)}")
    unclear = UNCLEAR if any(each.is_unclear for each in found) else DONE
    raise typer.Exit(NO if any(each.is_refused for each in found) else unclear)


def sync(
    folder: Annotated[Path, typer.Argument(help="A folder with request files (YAML) and tables of requests (CSV).")],
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """File and update the drafts of all requests in a folder.

    Exit codes: 0 all filed or left as they are, 1 some refused, 2 some unclear.

    Nothing is submitted, and what is submitted already is left as it is. A second run changes nothing.
    """
    from weighbridge.cli.tables.sync_table import sync_table
    from weighbridge.cli.tables.terminal import show
    from weighbridge.client.bulk.sync import SyncOutcome, sync_folder

    lines = []
    with errors_as_exits():
        for line in sync_folder(folder, server=server_at(server, token)):
            lines.append(line)
            typer.echo(f"{line.source}: {line.outcome.value}", err=True)
    show([sync_table(lines)], sys.stdout)
    outcomes = {line.outcome for line in lines}
    unclear = UNCLEAR if SyncOutcome.UNCLEAR in outcomes else DONE
    raise typer.Exit(NO if SyncOutcome.REFUSED in outcomes else unclear)
