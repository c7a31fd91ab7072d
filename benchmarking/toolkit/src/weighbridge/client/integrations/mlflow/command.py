"""`weighbridge feed mlflow-promote`, `feed mlflow-draft` and `request from-mlflow`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import errors_as_exits, stop
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


def from_mlflow(  # noqa: PLR0913 -- the options of the command line
    model: Annotated[str, typer.Argument(help="Name of the registered model.")],
    version: Annotated[str, typer.Argument(help="Number of the version.")],
    request: Annotated[Path, typer.Option(help="The request (YAML); its model file and version come from MLflow.")],
    path: PathOption = "model.onnx",
    sha256: Annotated[str, typer.Option(help="Digest of the file, if MLflow does not serve it.")] = "",
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric to take, METRIC=KEY, where KEY is the name in MLflow; repeatable."),
    ] = None,
    uri: UriOption = "",
    mlflow_token: Annotated[
        str, typer.Option(envvar="MLFLOW_TRACKING_TOKEN", help="Token of MLflow, if it needs one.")
    ] = "",
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Draft a request for a version in MLflow.

    It has the digest of the file, and lineage and metrics as MLflow states them, which are claims. A second call
    updates the draft; a person completes and submits it. Exit codes: 0 done, 1 refused, 2 bad input or no answer.
    """
    from weighbridge.client.drafts.command import filed, say
    from weighbridge.client.integrations.mlflow.registered import request_of_entry, uri_of, wanted_metrics
    from weighbridge.client.integrations.mlflow.rest import digest_of_artifact, registry_entry
    from weighbridge.client.server import PlatformServer

    if not uri:
        stop("Give the MLflow tracking server with --uri or MLFLOW_TRACKING_URI.")
    with errors_as_exits():
        wanted, asked = wanted_metrics(metric or ()), server_at(server, token)
        registry = PlatformServer(uri.rstrip("/"), mlflow_token, scheme="Bearer")
        entry = registry_entry(registry, name=model, version=version)
        digest = sha256 or digest_of_artifact(registry, entry, path=path)
        place = uri_of(uri, entry, path=path)
        drafted, _ = filed(request_of_entry(request, entry, digest=digest, uri=place, wanted=wanted), server=asked)
    say(drafted)
