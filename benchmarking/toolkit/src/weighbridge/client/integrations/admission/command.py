"""`weighbridge admission`: run the webhook."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, stop
from weighbridge.cli.server import MaxAgeOption, PublicKeyOption, clock

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def admission(
    env: Annotated[str, typer.Option(help="Environment that the cluster is.")],
    feed: Annotated[Path, typer.Option(help="The feed file; it is read again when it changes.")],
    public_key: PublicKeyOption,
    tls: Annotated[
        Path | None, typer.Option(help="Folder with tls.crt and tls.key, as a cluster mounts a secret.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at.")] = 8443,
    images: Annotated[bool, typer.Option("--images", help="Check the digests of all images too.")] = False,
    max_age: MaxAgeOption = None,
) -> None:
    """Serve an admission webhook of Kubernetes.

    It validates: only what the feed allows is admitted.
    """
    from weighbridge.client.feed.mirror import FeedMirror
    from weighbridge.client.integrations.admission.review import reviewed
    from weighbridge.client.integrations.admission.server import AdmissionServer

    if tls is None and host not in LOOPBACK:
        stop("Without a certificate, the webhook listens on this machine alone; give --tls.")
    age = timedelta(seconds=max_age) if max_age is not None else None
    mirror = FeedMirror(feed, public_key, clock, age)
    with errors_as_exits(interrupted="Stopped."):
        server = AdmissionServer(
            (host, port),
            lambda document: reviewed(
                document, ask=lambda digest: mirror.answer(digest=digest, environment=env), needs_images=images
            ),
            tls=tls,
        )
        typer.echo(f"listening at {host}:{server.server_port}")
        with server:
            server.serve_forever()
