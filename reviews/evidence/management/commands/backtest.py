"""What a policy version would have said of past requests, in the terminal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from governance.rulebook.domain.evaluation import PolicyOutcome
from reviews.evidence.queries import backtest
from reviews.evidence.queries.backtest import Backtest
from weighbridge.core.errors import Refused
from weighbridge.core.money import format_usd


class Command(BaseCommand):
    """`manage.py backtest NAME NUMBER [--quarters N] [--against NUMBER]`."""

    help = "Replay a version of a policy on the requests of the last quarters, beside the one in force."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which version, how far back, and beside which."""
        parser.add_argument("name")
        parser.add_argument("number", type=int)
        parser.add_argument("--quarters", type=int, default=4, help="How many, the current one included.")
        parser.add_argument("--against", type=int, default=None, help="Another version than the one in force.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, and print what differs."""
        name, number = options["name"], options["number"]
        try:
            said = backtest.run(
                version=backtest.version_of(name=name, number=number),
                against=backtest.compared_with(name=name, number=options["against"]),
                quarters=options["quarters"],
                now=timezone.now(),
            )
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        for line in _lines(said):
            self.stdout.write(line)


def _lines(said: Backtest) -> list[str]:
    head = (
        f"{said.version} beside {said.against}, {len(said.lines)} requests of {said.quarters[-1]} to "
        f"{said.quarters[0]}:"
    )
    shares = [
        f"  {outcome.value:16} {said.before[outcome].count:6} -> {said.after[outcome].count:6}  "
        f"{format_usd(said.after[outcome].usd)}"
        for outcome in PolicyOutcome
    ]
    changed = [
        f"  {line.ref} {line.compared.before.outcome.value} -> {line.compared.after.outcome.value}"
        f"{' by ' + ', '.join(line.compared.new_rules) if line.compared.new_rules else ''}"
        for line in said.changed
    ]
    return [head, *shares, *(["Different:", *changed] if changed else ["No outcome differs."])]
