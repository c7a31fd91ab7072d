"""The cache in the database, which counts failed logins: it drops no entry before its time."""

from datetime import datetime
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connections

TRIES = 5


class KeptCache(DatabaseCache):
    """Django's cache deletes a third of all entries beyond 300, so that an attacker could make it forget a counter."""

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = -1) -> bool:
        """Store a value. Django hides failures of the database; then a full disk would look like a locked account."""
        for _ in range(TRIES):  # another process may insert the entry and delete it again meanwhile
            if super()._base_set(mode, key, value, timeout):  # type: ignore[misc]  # missing in the stubs
                return True
            if mode == "touch" or self._is_stored(key):
                return False
        raise OperationalError("The cache could not be written.")

    def _is_stored(self, key: str) -> bool:
        with connections["default"].cursor() as cursor:
            table = connections["default"].ops.quote_name(self._table)  # type: ignore[attr-defined]  # the same
            cursor.execute(f"SELECT 1 FROM {table} WHERE cache_key = %s", [key])  # noqa: S608 -- a name from the settings
            return cursor.fetchone() is not None

    def _cull(self, db: str, cursor: Any, now: datetime, num: int) -> None:
        """Delete expired entries only."""
        table = connections[db].ops.quote_name(self._table)  # type: ignore[attr-defined]  # missing in the stubs
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [now])  # noqa: S608 -- a name from the settings
