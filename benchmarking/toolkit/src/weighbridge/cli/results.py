"""`weighbridge result`: check, sign and verify results; and the options of checks for other commands."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from weighbridge.cli.exits import DONE, NO, UNCLEAR, errors_as_exits, output, stop
from weighbridge.cli.option_rules import Needs

if TYPE_CHECKING:
    from weighbridge.api.results import Result

FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        help="Exit 1 if this is true, 2 if it cannot be told: 'latency_p95_ms.upper > 100', "
        "'accuracy < baseline.lower - 0.01'; repeatable.",
    ),
]
BaselineOption = Annotated[
    Path | None, typer.Option(help="Kept result (JSON) that conditions name as baseline."), Needs("--fail-if")
]
JunitOption = Annotated[Path | None, typer.Option(help="Write the conditions as JUnit XML to this file.")]
MarkdownOption = Annotated[Path | None, typer.Option(help="Write a summary in Markdown to this file.")]

MOMENTS = ["%Y-%m-%dT%H:%M:%S%z"]
StartedOption = Annotated[
    datetime | None, typer.Option(formats=MOMENTS, help="Begin of the run, if the file does not state it.")
]
FinishedOption = Annotated[
    datetime | None, typer.Option(formats=MOMENTS, help="End of the run, if the file does not state it.")
]


@dataclasses.dataclass(frozen=True)
class Checks:
    """What a pipeline asks of a result: conditions, the baseline that they name, and the files of two reports."""

    fail_if: list[str] | None
    baseline: Path | None
    junit: Path | None
    markdown: Path | None

    @property
    def files(self) -> tuple[Path | None, ...]:
        """The files that will be written."""
        return (self.junit, self.markdown)

    def check_form(self) -> None:
        """Raise Invalid, before a long run, for conditions of another form and a baseline that cannot be used."""
        from weighbridge.api.documents import read_json
        from weighbridge.measure.results.conditions import metrics_in, read_condition

        for text in self.fail_if or ():
            read_condition(text)
        if self.baseline is not None:
            metrics_in(read_json(self.baseline))


def exit_with(
    result: "Mapping[str, Any] | Result",
    checks: Checks,
    *,
    is_quiet: bool,
    is_refused: bool = False,
    unclear: str = "",
    beside: Sequence[Path | None] = (),
) -> NoReturn:
    """Check the conditions on a result and exit: 1 if one is true, 2 if one cannot be told, else 0.

    A result that is invalid, or `is_refused` for another reason, exits 1; one that is `unclear` for a reason, 2.
    """
    from weighbridge.api.checking import check
    from weighbridge.api.results import Result

    document = result.document if isinstance(result, Result) else result
    code = NO if is_refused or (document.get("verdict") or {}).get("status") == "invalid" else DONE
    if not (checks.fail_if or checks.junit or checks.markdown):
        _exit(code, unclear)
    with errors_as_exits():
        checked = check(
            document,
            checks.fail_if or (),
            baseline=checks.baseline,
            junit_file=checks.junit,
            markdown_file=checks.markdown,
        )
        if checks.fail_if:
            output(checked, None, is_quiet=is_quiet, beside=(*checks.files, *beside))
    if checked["answer"] == "true":
        stop(f"True: {', '.join(_conditions(checked, 'true'))}.", code=NO)
    if code == DONE and checked["answer"] == "cannot_tell":
        stop(f"Cannot be told: {' '.join(_conditions(checked, 'cannot_tell'))}", code=UNCLEAR)
    _exit(code, unclear)


def _conditions(checked: "Mapping[str, Any] | Result", answer: str) -> list[str]:
    """Return the conditions with an answer, and the reason where there is one."""
    asked = [each for each in checked["conditions"] if each["answer"] == answer]
    return [f"{each['condition']}: {each['reason']}" if each["reason"] else each["condition"] for each in asked]


def _exit(code: int, unclear: str) -> NoReturn:
    if code == DONE and unclear:
        stop(unclear, code=UNCLEAR)
    raise typer.Exit(code)


def check(
    result: Annotated[Path, typer.Argument(help="Result (JSON) of profile, load, score, compare or optimize.")],
    fail_if: FailIfOption = None,
    baseline: BaselineOption = None,
    junit: JunitOption = None,
    markdown: MarkdownOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Check conditions on a kept result.

    Exit codes: 0 none is true, 1 one is true or the result is invalid, 2 cannot tell.
    """
    from weighbridge.api.documents import read_json

    checks = Checks(fail_if, baseline, junit, markdown)
    with errors_as_exits(writes=checks.files):
        document = read_json(result)
    exit_with(document, checks, is_quiet=quiet)


def sign(
    result: Annotated[
        Path, typer.Argument(help="Result (JSON) of a model, or of a file of predictions, answers or units.")
    ],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key (PEM).")],
    out: Annotated[Path, typer.Option(help="File for the signed result (DSSE envelope).")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Sign a result, so that others can believe it.

    A server believes results of the keys that it knows.
    """
    from weighbridge.api.checking import sign_result

    with errors_as_exits(writes=(out,)):
        output(sign_result(result, out, key=key), None, is_quiet=quiet, beside=(out,))


def verify(
    envelope: Annotated[Path, typer.Argument(help="Signed result (DSSE envelope).")],
    key: Annotated[Path, typer.Option(help="Public Ed25519 key (PEM).")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Verify the signature of a result.

    Exit codes: 0 it is of this key, 2 it is not.
    """
    from weighbridge.api.checking import verify_result

    with errors_as_exits(writes=(json_file,)):
        output(verify_result(envelope, key=key), json_file, is_quiet=quiet)


def attest(  # noqa: PLR0913 -- each is an option of the command
    result: Annotated[Path, typer.Argument(help="File of a tool, or a folder of its files.")],
    plan: Annotated[Path, typer.Option(help="Plan of the review request (JSON), from its page.")],
    key: Annotated[Path, typer.Option(help="Private Ed25519 key (PEM) that the policy trusts.")],
    out: Annotated[Path, typer.Option(help="File for the signed result (DSSE envelope).")],
    tool: Annotated[str | None, typer.Option(help="Tool that wrote the file; found by its content.")] = None,
    part: Annotated[str | None, typer.Option(help="One of several results in the file.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Metric to sign; repeatable.")] = None,
    started_at: StartedOption = None,
    finished_at: Annotated[
        datetime | None, typer.Option(formats=MOMENTS, help="If the file does not state it.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Sign what was measured elsewhere as evidence for a review request.

    The plan says what the request is about; its digest is signed with the values.
    """
    from weighbridge.api.checking import attest

    with errors_as_exits(writes=(out,)):
        signed = attest(
            result,
            out,
            plan=plan,
            key=key,
            tool=tool,
            part=part,
            metrics=tuple(metric or ()),
            started_at=started_at,
            finished_at=finished_at,
        )
        output(signed, None, is_quiet=quiet, beside=(out,))


def new_key(
    out: Annotated[Path, typer.Option(help="File for the private key; the public one gets the suffix .pub.")],
) -> None:
    """Create an Ed25519 key to sign results with."""
    import os

    from weighbridge.core import attestation
    from weighbridge.core.errors import Invalid

    with errors_as_exits(writes=(out,), keeps=(out,)):
        private = attestation.new_key_pem()
        public = out.with_name(f"{out.name}.pub")
        for path, text, mode in ((out, private, 0o600), (public, attestation.public_pem(private), 0o644)):
            try:
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
                    file.write(text)
            except OSError as error:
                raise Invalid(f"{path} cannot be written: {error.strerror}.", field="out") from error
    typer.echo(f"{out} is secret; give {public} to whoever verifies results.")


COMMANDS: Mapping[str, Callable[..., None]] = {
    "check": check,
    "sign": sign,
    "attest": attest,
    "verify": verify,
    "new-key": new_key,
}
