"""`weighbridge worker`: measure the runs of a server on this machine."""

import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, errors_as_exits, stop
from weighbridge.cli.server import ServerOption, clock

if TYPE_CHECKING:
    from weighbridge.client.worker.link import WorkerLink

MEGABYTE = 1_000_000


def worker(  # noqa: PLR0913 -- each is an option of the command
    token_file: Annotated[Path, typer.Option(help="File with the token of the worker's account, of scope worker.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key (PEM) whose public key is registered.")],
    server: ServerOption = "",
    queue: Annotated[str, typer.Option(help="Refuse to start unless the server registered this queue.")] = "",
    folder: Annotated[Path, typer.Option(help="Where this worker, and no other, keeps files of runs.")] = Path(
        "weighbridge-worker"
    ),
    cache_mb: Annotated[int, typer.Option(min=0, help="Largest total of files kept between runs.")] = 10_000,
    plain_http: Annotated[bool, typer.Option("--plain-http", help="Speak to another machine without TLS.")] = False,
    without_bubblewrap: Annotated[
        bool, typer.Option("--without-bubblewrap", help="Start without it; most runs then fail.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End after one run.")] = False,
) -> None:
    """Measure the runs of a server on this machine.

    Needs the address of the server, a token and a key alone. Ends on SIGTERM and gives the run in hand back.
    """
    from weighbridge.client.server import ServerRefused
    from weighbridge.client.worker.cache import FileCache
    from weighbridge.client.worker.program import BenchmarkWorker

    with errors_as_exits():
        key_pem, link = _text_in(key), _link(server, _text_in(token_file), is_plain=plain_http)
        _check_sandbox(is_required=not without_bubblewrap)
        try:
            _check_identity(link, key_pem, queue)
            with closing(FileCache(folder, bytes_max=cache_mb * MEGABYTE)) as cache:
                program = BenchmarkWorker(link, key_pem=key_pem, cache=cache, clock=clock, say=typer.echo)
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, lambda *_: program.stop())
                program.work(is_once=once)
        except ServerRefused as refused:
            stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)


def _link(url: str, token: str, *, is_plain: bool) -> "WorkerLink":
    from weighbridge.client.server import PlatformServer
    from weighbridge.client.worker.link import WorkerLink

    if not url or not token:
        stop("Give a server with --server, and a token in the file of --token-file.")
    return WorkerLink(PlatformServer(url.rstrip("/"), token, allows_plain=is_plain))


def _text_in(path: Path) -> str:
    from weighbridge.core.errors import Invalid

    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.") from error


def _check_sandbox(*, is_required: bool) -> None:
    from weighbridge.systems.sandbox.bubblewrap import layers_here

    if is_required and layers_here().bubblewrap is None:
        stop("bubblewrap is missing or does not work here. Install it, or start with --without-bubblewrap.")


def _check_identity(link: "WorkerLink", key_pem: str, queue: str) -> None:
    """Exit unless the server registered this key, and this queue if one is asked for."""
    from weighbridge.core import attestation

    known, own = link.identify(), attestation.key_id(attestation.public_pem(key_pem))
    if known.key_id != own:
        stop(f"The server registered another key for {known.name}: {known.key_id}. This one is {own}.", code=NO)
    if queue and queue != known.queue:
        stop(f"The server registered {known.name} for the queue {known.queue}, not {queue}.", code=NO)
    typer.echo(f"{known.name} takes runs of the queue {known.queue}.")
