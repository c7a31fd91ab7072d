"""`weighbridge feed litellm`: write the configuration of a LiteLLM gateway with only what the feed allows."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, UNCLEAR, errors_as_exits
from weighbridge.cli.server import MaxAgeOption, PublicKeyOption, clock


def litellm(
    config: Annotated[Path, typer.Argument(help="The configuration of the gateway (YAML).")],
    out: Annotated[Path, typer.Option(help="Where to write the filtered configuration.")],
    env: Annotated[str, typer.Option(help="Environment that the gateway serves.")],
    feed: Annotated[Path, typer.Option(help="The feed file.")],
    public_key: PublicKeyOption,
    max_age: MaxAgeOption = None,
    own_host: Annotated[list[str] | None, typer.Option(help="A host where models of our own run; repeatable.")] = None,
    provider_host: Annotated[
        list[str] | None, typer.Option(help="A host of a provider that an entry may name in api_base; repeatable.")
    ] = None,
) -> None:
    """Write a LiteLLM configuration of what the feed allows.

    Its `model_list` has no other model. Exit code 2: the feed cannot tell. An entry that calls another model than its
    subject, or that goes to a host which is not given here, is left out.

    A feed that cannot be verified, or is stale, allows nothing: the list is then empty.
    """
    import yaml

    from weighbridge.client.feed.document import write_whole
    from weighbridge.client.feed.mirror import FeedMirror
    from weighbridge.client.feed.verdicts import GateVerdict
    from weighbridge.client.integrations.litellm.allow_list import allowed_config
    from weighbridge.client.integrations.litellm.config_file import read_config
    from weighbridge.client.integrations.litellm.entries import Hosts

    age = timedelta(seconds=max_age) if max_age is not None else None
    mirror = FeedMirror(feed, public_key, clock, age)
    own, providers = (tuple(host.lower() for host in hosts or ()) for hosts in (own_host, provider_host))
    with errors_as_exits(writes=(out,), keeps=(out,)):
        document, reasons, replies = allowed_config(
            read_config(config),
            ask=lambda digest: mirror.answer(digest=digest, environment=env),
            hosts=Hosts(own=own, providers=providers),
        )
        write_whole(out, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    for reason in reasons:
        typer.echo(f"weighbridge: left out {reason}", err=True)
    typer.echo(f"{len(document['model_list'])} models allowed in {env}")
    is_unclear = any(reply.answer is GateVerdict.UNKNOWN for reply in replies)
    raise typer.Exit(UNCLEAR if is_unclear else DONE)
