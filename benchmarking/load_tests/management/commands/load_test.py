"""Run a load test from several workers at once and print its result."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadTest
from governance.audit.actions import record as audit
from governance.jobs.enums import UNFINISHED
from weighbridge.core.errors import Refused
from weighbridge.load.messages import header_from
from weighbridge.load.plan import seconds
from weighbridge.load.target import permission_from, resolve_addresses

POLL_EVERY_S = 0.5


class Command(BaseCommand):
    """`manage.py load_test URL --rate R --user NAME [--workers N]`."""

    help = "Run a load test against a listed machine from several workers at once; print its result as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add options for the plan, the number of workers and the user."""
        parser.add_argument("url")
        parser.add_argument("--rate", type=float, required=True, help="Requests per second, all workers together.")
        parser.add_argument("--duration", default="60s")
        parser.add_argument("--arrivals", default="poisson", choices=["constant", "poisson"])
        parser.add_argument("--connections", type=int, help="Fixed number of connections, all workers together.")
        parser.add_argument("--method", default="", help="HTTP method. Default: POST with a body, else GET.")
        parser.add_argument(
            "--header", action="append", default=[], help="'Name: value', never a secret; can be repeated."
        )
        parser.add_argument("--body", type=Path, help="Body file; .jsonl and .npz (x) have many bodies, sent in turn.")
        parser.add_argument("--expect-json-key", default="", help="Key that each answer must contain.")
        parser.add_argument("--check-every", type=int, default=10, help="Check the body of one in n answers.")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--user", required=True, help="Username of a platform lead or administrator.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the test, wait for its end and print the result; Ctrl-C cancels the test."""
        try:
            user = User.objects.get(username=options["user"])
            plan = {
                "url": options["url"],
                "rate_per_s": options["rate"],
                "duration_s": seconds(options["duration"]),
                "arrivals": options["arrivals"],
                "connections": options["connections"],
                "method": (options["method"] or ("POST" if options["body"] else "GET")).upper(),
                "expect": {"json_key": options["expect_json_key"], "every": options["check_every"]},
                "headers": [header_from(text) for text in options["header"]],
            }
            with audit.origin("command"):  # an operator acts in the name of that user
                test = load_tests.start(
                    key=f"load-{uuid.uuid4().hex[:12]}",
                    plan=plan,
                    workers=options["workers"],
                    permissions=[permission_from(text) for text in settings.WEIGHBRIDGE["LOAD_TARGETS"]],
                    resolve=resolve_addresses,
                    by=user,
                    now=timezone.now(),
                    body=options["body"],
                )
        except (Refused, User.DoesNotExist) as refused:
            raise CommandError(str(refused)) from refused
        try:
            while test.state in UNFINISHED:
                time.sleep(POLL_EVERY_S)
                test = LoadTest.objects.get(pk=test.pk)
        except KeyboardInterrupt:
            with audit.origin("command"):
                load_tests.cancel(test=test, by=user, now=timezone.now())
            raise CommandError("Load test canceled. Its workers stop.") from None
        if test.result is None:
            raise CommandError(test.error)
        self.stdout.write(json.dumps(test.result, indent=1))
