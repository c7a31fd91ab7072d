"""`weighbridge usage`: report to the server what a gateway counted for each day and model."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, errors_as_exits, stop
from weighbridge.cli.server import ServerOption, TokenOption, server_at


def usage_report(
    file: Annotated[
        Path, typer.Argument(help="CSV by day and model, spend logs of LiteLLM, or usage pages of OpenAI as JSON.")
    ],
    gateway: Annotated[str, typer.Option(help="Name of the gateway; a later report replaces the same days.")],
    env: Annotated[str, typer.Option(help="Environment that the gateway serves.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file, send nothing.")
    ] = None,
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Report the requests, tokens and US dollars of language models.

    The server compares them with the limits per month of their authorizations. Exit codes: 0 sent, 1 refused, 2 bad
    input or no answer.
    """
    from weighbridge.api.documents import write_json
    from weighbridge.client.server import ServerRefused
    from weighbridge.client.usage.exports import read_export
    from weighbridge.client.usage.report import UsageReport, read_usage
    from weighbridge.core.errors import Invalid

    with errors_as_exits(writes=(json_file,)):
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                lines = read_export(stream, is_csv=file.suffix.lower() == ".csv")
        except OSError as error:
            raise Invalid(f"{file} cannot be read: {error.strerror}.", code="file_unreadable") from error
        report = read_usage(UsageReport(gateway=gateway, environment=env, lines=lines).as_document())
        if json_file is not None:
            write_json(json_file, report.as_document())
            typer.echo(f"{len(lines)} lines written, none sent", err=True)
            return
        try:
            # Without an idempotency key: the same report twice stores the same lines.
            answer = server_at(server, token).post("/api/v1/usage/reports/", report.as_document())
        except ServerRefused as refused:
            stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    typer.echo(f"{len(lines)} lines of {len(report.days)} days; {answer.get('unmatched', 0)} of no authorized model")
