"""`python -m examples.support_assistant.double`: a double on this machine; the first line it prints is its address."""

import argparse
import asyncio
import dataclasses
import json
import sys
from typing import Any

from examples.support_assistant.batched_pace import BatchedPace
from examples.support_assistant.batching import Replica
from examples.support_assistant.double.answers import answer_function, drawn_words
from examples.support_assistant.double.behaviors import BEHAVIORS
from examples.support_assistant.double.clock import precise_loop
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.pace import StatedPace
from examples.support_assistant.double.running import address_of, serve
from examples.support_assistant.double.serving import REPLIES, Double, MakePace
from weighbridge.core.errors import Invalid

PAIRS = {"tokens_per_chunk": ("LEAST", "MOST"), "freeze": ("SECOND", "SECONDS")}


def parser() -> argparse.ArgumentParser:
    """Return the options: one for each field of the law."""
    found = argparse.ArgumentParser(
        prog="python -m examples.support_assistant.double",
        description=Law.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"behaviors: {', '.join(sorted({*BEHAVIORS, *REPLIES}))}",
    )
    found.add_argument("--port", type=int, default=0, help="0 takes a free one")
    found.add_argument("--answers", default="", metavar="MODULE:NAME", help="the function that gives answers")
    found.add_argument(
        "--replica", default="", metavar="JSON", help="times by continuous batching on a replica with these fields"
    )
    found.add_argument("--law", default="{}", metavar="JSON", help="fields of the law as JSON; options go before it")
    for field in dataclasses.fields(Law):
        option = f"--{field.name.replace('_', '-')}"
        if field.name in PAIRS:
            kind: Any = int if field.name == "tokens_per_chunk" else float
            found.add_argument(option, nargs=2, type=kind, metavar=PAIRS[field.name])
        elif field.default is True:
            found.add_argument(option, action=argparse.BooleanOptionalAction, default=None)
        else:
            kind = type(field.default)
            options: dict[str, Any] = {"action": "store_true", "default": None} if kind is bool else {"type": kind}
            found.add_argument(option, **options)
    return found


def law_of(given: argparse.Namespace) -> Law:
    """Return the law that the options state. Raises Invalid."""
    names = [field.name for field in dataclasses.fields(Law)]
    stated = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    try:
        fields = json.loads(given.law) | stated
        pairs = {name: tuple(fields[name]) for name in PAIRS if fields.get(name) is not None}
        return Law(**(fields | pairs))
    except (ValueError, TypeError) as error:
        raise Invalid(f"The law is not read: {error}", field="law") from error


def make_pace_of(given: argparse.Namespace) -> MakePace:
    """Return what makes the pace: that of the law, or of the replica that is stated. Raises Invalid."""
    if not given.replica:
        return StatedPace
    try:
        replica = Replica(**json.loads(given.replica))
    except (ValueError, TypeError) as error:
        raise Invalid(f"The replica is not read: {error}", field="replica") from error
    return lambda _, loop: BatchedPace(replica, loop)


async def run(given: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    answer = answer_function(given.answers) if given.answers else drawn_words
    server = await serve(Double(law_of(given), answer=answer, make_pace=make_pace_of(given)), port=given.port)
    sys.stdout.write(f"{address_of(server)}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """Run as a program; exit with status 2 and a sentence if something is refused."""
    given = parser().parse_args(arguments)
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        try:
            runner.run(run(given))
        except Invalid as refused:
            sys.exit(f"double: {refused.reason}")
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
