"""Django's PostgreSQL backend, except that a server that stands still cannot hold a process for ever.

`statement_timeout` is kept by the server, which cannot keep it while it stands still; `answer_s` is kept here.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import errors

NO_ANSWER = "The database did not answer within {limit_s:g} s."


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer within `answer_s`; None waits for ever."""

    answer_s: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. Raises OperationalError after `answer_s`; the connection is closed then."""
        if self.answer_s is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_s)
        except errors._WaitTimeout as error:  # noqa: SLF001 -- psycopg documents it, but does not export it
            self.pgconn.finish()  # an answer that comes later would be taken for that of the next statement
            raise psycopg.OperationalError(NO_ANSWER.format(limit_s=self.answer_s)) from error


class _Driver:
    """psycopg, with limited connections."""

    connect = LimitedConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend. `answer_s` of the class, or of the connection of one thread, limits new connections."""

    Database = _Driver()  # type: ignore[assignment]  # answers to the same names
    answer_s: float | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and limit how long an answer may take."""
        connection = super().get_new_connection(conn_params)
        connection.answer_s = self.answer_s
        return connection


def limit_web_requests(options: dict[str, Any], *, statement_s: int) -> None:
    """Limit all statements of this process, on the server and, five seconds later, here. Changes `options`."""
    given = options.get("options", "")
    options["options"] = f"{given} -c statement_timeout={statement_s * 1000}".strip()
    DatabaseWrapper.answer_s = statement_s + 5.0
