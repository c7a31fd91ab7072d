"""The cache in the database, which counts failed logins: it drops no entry before its time."""

from datetime import datetime
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections


class KeptCache(DatabaseCache):
    """Django's cache deletes a third of all entries beyond 300, so that an attacker could make it forget a counter."""

    def _cull(self, db: str, cursor: Any, now: datetime, num: int) -> None:
        """Delete expired entries only."""
        table = connections[db].ops.quote_name(self._table)  # type: ignore[attr-defined]  # missing in the stubs
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [now])  # noqa: S608 -- a name from the settings
