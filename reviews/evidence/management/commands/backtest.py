"""Apply a policy version to past requests, in the terminal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from reviews.evidence.queries.backtests import backtest
from reviews.evidence.queries.backtests.backtest import DEFAULT_QUARTERS, Backtest
from weighbridge.core.errors import Refused
from weighbridge.core.money import format_usd


class Command(BaseCommand):
    """`manage.py backtest NAME NUMBER [--quarters N] [--against NUMBER]`."""

    help = "Apply a policy version to the requests of the last quarters and compare it with the version in force."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the version, the number of quarters, and the version to compare with."""
        parser.add_argument("name")
        parser.add_argument("number", type=int)
        parser.add_argument(
            "--quarters", type=int, default=DEFAULT_QUARTERS, help="Number of quarters, including the current one."
        )
        parser.add_argument(
            "--against", type=int, default=None, help="The version to compare with, instead of the one in force."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the back-test and print the differences."""
        given = {name: options[name] for name in ("name", "number", "against", "quarters")}
        try:
            result = backtest.run(backtest.question(**given, now=timezone.now()), on_read=self._show)
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        for line in _lines(result):
            self.stdout.write(line)

    def _show(self, read: int) -> None:
        self.stderr.write(f"{read:,} requests …")


def _lines(result: Backtest) -> list[str]:
    head = (
        f"{result.version} compared with {result.against}, {len(result.lines)} requests of {result.quarters[-1]} to "
        f"{result.quarters[0]}:"
    )
    shares = [
        f"  {row.outcome.value:16} {row.before.count:6} -> {row.after.count:6}  {format_usd(row.after.usd)}"
        for row in result.outcomes
    ]
    changed = [
        f"  {line.ref} {line.compared.before.outcome.value} -> {line.compared.after.outcome.value}"
        f"{' by ' + ', '.join(line.compared.added_rules) if line.compared.added_rules else ''}"
        for line in result.changed
    ]
    return [head, *shares, *(["Different:", *changed] if changed else ["No outcome differs."])]
