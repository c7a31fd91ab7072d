"""`weighbridge workloads`: report to the server what a cluster runs."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import NO, UNCLEAR, errors_as_exits, stop
from weighbridge.cli.server import ServerOption, TokenOption, clock, server_at

if TYPE_CHECKING:
    from weighbridge.client.workloads.report import Workload

STANDARD_INPUT = Path("-")


def report(
    file: Annotated[
        Path, typer.Argument(help="Output of kubectl get pods -A -o json, or a list as JSON or CSV; - reads it.")
    ],
    cluster: Annotated[str, typer.Option(help="Name of the cluster; its next report replaces this one.")],
    env: Annotated[str, typer.Option(help="Environment that the cluster is.")],
    has_all: Annotated[
        bool, typer.Option("--all", help="Pods: report containers without accelerators and models too.")
    ] = False,
    owner_label: Annotated[str, typer.Option(help="Pods: the label that names the team.")] = "weighbridge.dev/team",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file, send nothing.")
    ] = None,
    server: ServerOption = "",
    token: TokenOption = "",
) -> None:
    """Report what a cluster runs.

    The server compares it with what is authorized. A report authorizes nothing. The last line counts the workloads by
    the answer of the gate. Exit codes: 0 sent, 1 refused, 2 bad input or no answer.
    """
    from weighbridge.api.documents import write_json
    from weighbridge.client.server import ServerRefused
    from weighbridge.client.workloads.report import WorkloadReport, read_report

    with errors_as_exits(writes=(json_file,)):
        at = observed_at(file)
        found = _workloads(_content(file), file, at, has_all=has_all, owner_label=owner_label)
        observed = WorkloadReport(cluster=cluster, environment=env, observed_at=at, workloads=found)
        sent = read_report(observed.as_document())
        if json_file is not None:
            write_json(json_file, sent.as_document())
            typer.echo(f"{len(found)} workloads written, none sent", err=True)
            return
        try:
            answer = server_at(server, token).post(
                "/api/v1/workloads/reports/", sent.as_document(), key=f"{sent.digest[7:39]}-{at:%Y%m%d%H%M%S%f}"
            )
        except ServerRefused as refused:
            stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    counts = answer.get("counts")
    words = [f"{count} {name}" for name, count in counts.items()] if isinstance(counts, dict) else []
    typer.echo(f"{len(found)} workloads: {', '.join(words) or 'none'}")


def observed_at(file: Path) -> datetime:
    """Return when the file was written, which is when the cluster was observed; now for standard input."""
    try:
        written = None if file == STANDARD_INPUT else datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError:
        written = None  # reading the file says why
    return min(written, clock()) if written else clock()


def _content(file: Path) -> bytes:
    from weighbridge.core.parsing.json_text import read_bytes
    from weighbridge.core.parsing.limits import MEASUREMENT, check_size

    if file != STANDARD_INPUT:
        return read_bytes(file, limits=MEASUREMENT)
    content = sys.stdin.buffer.read(MEASUREMENT.bytes_max + 1)
    check_size(len(content), name="The input", limits=MEASUREMENT, field="file")
    return content


def _workloads(content: bytes, file: Path, at: datetime, *, has_all: bool, owner_label: str) -> "tuple[Workload, ...]":
    from weighbridge.client.workloads.kubernetes import is_list_of_pods, workloads_of_pods
    from weighbridge.client.workloads.lists import workloads_of_csv, workloads_of_list
    from weighbridge.core.errors import Invalid
    from weighbridge.core.parsing.json_text import parse_json
    from weighbridge.core.parsing.limits import MEASUREMENT

    if file.suffix.lower() == ".csv":
        try:
            return workloads_of_csv(content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise Invalid(f"{file.name} is not text in UTF-8.", field="file") from error
    document = parse_json(content, name=file.name, field="file", limits=MEASUREMENT, is_cleaning=True)
    if is_list_of_pods(document):
        return workloads_of_pods(document, has_all=has_all, owner_label=owner_label, observed_at=at)
    if not isinstance(document, list):
        text = f"{file.name} is neither a list of pods nor a list of workloads."
        raise Invalid(f"{text} Write it with kubectl get pods --all-namespaces --output json.", field="file")
    return workloads_of_list(document)
