"""Times each kind of page in a loaded recording with a history, and prints milliseconds and queries by kind of page.

WEIGHBRIDGE_VAR=… python -m tests.performance.growth_place
"""

import json
import logging
import os
import statistics
import time
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "examples.recorded.settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402 -- Django is set up first
from django.db import connection  # noqa: E402 -- as above
from django.test import Client  # noqa: E402 -- as above

from tests.performance.test_page_times import kinds_of_page  # noqa: E402 -- as above

ROUNDS, LONG_S = 5, 2.0
"""Openings of a page, of which the first warms up; a page that takes longer than that is opened once."""


class QueryCount:
    """Counts the queries of a block."""

    count = 0

    def __call__(self, execute: Any, *statement: Any) -> Any:
        self.count += 1
        return execute(*statement)


def main() -> None:
    """Open the pages as the platform lead of the recording, who sees everything."""
    logging.disable(logging.INFO)
    user, client = User.objects.get(username="lead"), Client()
    client.force_login(user)
    print(json.dumps({kind: measured(client, path) for kind, path in kinds_of_page(user)}))


def measured(client: Client, path: str) -> tuple[float, int]:
    """The median of the milliseconds that the page takes, and the number of its queries."""
    times_s: list[float] = []
    while len(times_s) < ROUNDS and max(times_s, default=0) < LONG_S:
        begun_s, queries = time.perf_counter(), QueryCount()
        with connection.execute_wrapper(queries):
            assert client.get(path).status_code == 200
        times_s.append(time.perf_counter() - begun_s)
    return statistics.median(times_s[1:] or times_s) * 1000, queries.count


if __name__ == "__main__":
    main()
