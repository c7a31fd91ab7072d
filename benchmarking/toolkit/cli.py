"""`weighbridge`: the toolkit at the terminal and in a pipeline.

Exit codes, the same for every command: 0 yes or done; 1 no (an invalid measurement, a refusal); 2 bad input, or it
could not be told. Heavy libraries are imported by the command that needs them, so that `--help` is quick.
"""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from governance.domain.refusals import Refused

if TYPE_CHECKING:
    from benchmarking.toolkit.server import Server

DONE, NO, UNCLEAR, INTERRUPTED = 0, 1, 2, 130
app = typer.Typer(
    help=(
        "Weigh a model before it goes on the road.\n\n"
        "Exit codes: 0 yes or done, 1 no (invalid measurement, refused), 2 bad input or cannot tell."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
request = typer.Typer(help="Model review requests.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(request, name="request")

ServerOption = Annotated[str, typer.Option("--server", envvar="WEIGHBRIDGE_URL", help="Address of the server.")]
TokenOption = Annotated[
    str, typer.Option("--token", envvar="WEIGHBRIDGE_TOKEN", help="API token of the person asking.")
]


@app.command()
def profile(
    model: Annotated[Path, typer.Argument(help="The model, an ONNX file.")],
    data: Annotated[Path | None, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,).")] = None,
    samples: Annotated[int, typer.Option(help="Least number of timed inferences.")] = 3_000,
    threads: Annotated[int, typer.Option(help="Threads the model may use.")] = 1,
    wall: Annotated[float, typer.Option(help="Seconds after which the run is stopped.")] = 600.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Measure what a model costs in time and memory, and how good it is on a data set."""
    import tempfile

    from benchmarking.toolkit.measure.scenarios import ProfileSettings, SingleStream
    from benchmarking.toolkit.runners.isolated import Limits, profile_isolated
    from benchmarking.toolkit.terminal import progress, show_result

    try:
        settings = ProfileSettings(scenario=SingleStream(min_samples=samples, threads=threads))
        limits = Limits(wall_s=wall)
        with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder, progress(sys.stderr, is_quiet=quiet) as say:
            result = profile_isolated(
                model=model, settings=settings, data=data, limits=limits,
                on_progress=say, should_stop=lambda: False, workdir=Path(folder),
            )  # fmt: skip
        if json_file is not None:
            _write_json(json_file, result)
    except Refused as refused:
        _stop(refused.reason)
    except KeyboardInterrupt:
        _stop("Interrupted; the run was stopped and left no result.", code=INTERRUPTED)
    if not quiet:
        show_result(result, sys.stdout)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


@app.command()
def gate(
    digest: Annotated[str, typer.Argument(help="Digest of the artifact, sha256:...")],
    env: Annotated[str, typer.Option(help="Environment it is to go into.")],
    server: ServerOption = "",
    token: TokenOption = "",
    statement: Annotated[Path | None, typer.Option(help="Signed statement, to ask offline.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="Public key (PEM) of the server that signed it.")] = None,
) -> None:
    """Ask whether an artifact may go into an environment: 0 allowed, 1 refused, 2 cannot tell."""
    from datetime import UTC, datetime

    from benchmarking.toolkit.gate import Answer, ask_server, ask_statement, check_digest

    try:
        check_digest(digest)
        if statement is not None and public_key is not None:
            now = datetime.fromtimestamp(time.time(), UTC)
            reply = ask_statement(statement, public_key=public_key, digest=digest, environment=env, now=now)
        elif statement is not None or public_key is not None:
            _stop("Give --statement and --public-key together.")
        else:
            reply = ask_server(_server(server, token), digest=digest, environment=env)
    except Refused as refused:
        _stop(refused.reason)
    until = f" until {reply.expires_at}" if reply.expires_at else ""
    typer.echo(f"{reply.answer}{until}: {' '.join(reply.reasons) or 'no reason was given.'}")
    raise typer.Exit({Answer.ALLOWED: DONE, Answer.REFUSED: NO, Answer.UNKNOWN: UNCLEAR}[reply.answer])


@request.command()
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
        ref = file_request(wanted, server=_server(server, token), key=uuid.uuid4().hex, say=typer.echo)
    except ServerRefused as refused:
        _stop(refused.reason, code=NO if 400 <= refused.http_status < 500 else UNCLEAR)
    except Refused as refused:
        _stop(refused.reason)
    typer.echo(ref)


def _server(url: str, token: str) -> "Server":
    from benchmarking.toolkit.server import Server

    if not url or not token:
        _stop("Name the server and a token: --server and --token, or WEIGHBRIDGE_URL and WEIGHBRIDGE_TOKEN.")
    return Server(url.rstrip("/"), token)


def _write_json(path: Path, result: object) -> None:
    import json

    from governance.domain.refusals import Invalid

    try:
        path.write_text(json.dumps(result, indent=1) + "\n")
    except OSError as error:
        raise Invalid(f"The result cannot be written to {path}: {error.strerror}.", field="json") from error


def _stop(reason: str, *, code: int = UNCLEAR) -> NoReturn:
    typer.echo(f"weighbridge: {reason}", err=True)
    raise typer.Exit(code)


def main() -> None:
    """Run the command line."""
    # Set before any engine is loaded, here and in every child.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="weighbridge")
