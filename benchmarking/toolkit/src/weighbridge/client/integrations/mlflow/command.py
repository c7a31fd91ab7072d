"""`weighbridge feed mlflow-promote` and `mlflow-draft`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits
from weighbridge.cli.server import MaxAgeOption, PublicKeyOption, ServerOption, TokenOption, clock, say, server_at
from weighbridge.cli.tracking import UriOption

ModelArgument = Annotated[str, typer.Argument(help="The registered version, models:/NAME/VERSION.")]
PathOption = Annotated[str, typer.Option(help="Path of the model file inside the version.")]


def mlflow_promote(
    model: ModelArgument,
    alias: Annotated[str, typer.Option(help="Alias to set, such as champion.")],
    env: Annotated[str, typer.Option(help="Environment that the alias stands for.")],
    feed: Annotated[Path, typer.Option(help="The feed file.")],
    public_key: PublicKeyOption,
    path: PathOption = "model.onnx",
    uri: UriOption = "",
    max_age: MaxAgeOption = None,
) -> None:
    """Set an alias in the MLflow registry if the feed allows it.

    The feed must allow the bytes of the version; tags tell so. Exit codes are those of the gate.
    """
    from weighbridge.client.feed.mirror import FeedMirror
    from weighbridge.client.integrations.mlflow.registry import registered_version

    age = timedelta(seconds=max_age) if max_age is not None else None
    mirror = FeedMirror(feed, public_key, clock, age)
    with errors_as_exits():
        found = registered_version(model, uri=uri, path=path)
        reply = found.promote(
            alias=alias, environment=env, ask=lambda digest: mirror.answer(digest=digest, environment=env)
        )
    say(reply)


def mlflow_draft(
    model: ModelArgument,
    request: Annotated[Path, typer.Option(help="The request (YAML); its model file and version come from MLflow.")],
    path: PathOption = "model.onnx",
    uri: UriOption = "",
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Draft a review request for a version of MLflow's registry.

    There is one draft of a version; a person completes and submits it.
    """
    from weighbridge.client.integrations.mlflow.draft import request_of
    from weighbridge.client.integrations.mlflow.registry import registered_version
    from weighbridge.client.submission import file_request

    with errors_as_exits():
        found, asked = registered_version(model, uri=uri, path=path), server_at(server, token)
        with found.file() as file:
            filed = request_of(request, file=file, version=found.version)
            ref = file_request(filed, server=asked, key=found.key, report=typer.echo)
    typer.echo(ref)
