"""Limits of the API for each person: how many calls that write, and how many that read, in a minute."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from governance.site.domain.memory import CallCounter

CALLS = CallCounter()


class CallLimit(SimpleRateThrottle):
    """Counts the calls of a person in this process; all tokens and sessions of a person count together."""

    is_safe: bool
    num_requests: int | None
    duration: int | None
    wait_s = 0.0

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """The counter of the person; None for calls of the other kind, and before somebody is known."""
        if (request.method in SAFE_METHODS) is not self.is_safe or request.user is None:
            return None
        return self.key_of(request.user.pk)

    def key_of(self, user_id: int | None) -> str:
        """The counter of a person."""
        return f"{self.scope}:{user_id}"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call; whether it is within the limit."""
        key = self.get_cache_key(request, view)
        return key is None or self.admits(key)

    def admits(self, key: str) -> bool:
        """Count a call under the key of a person; whether it is within the limit."""
        if self.num_requests is None or self.duration is None:
            return True
        calls, self.wait_s = CALLS.count(key, span_s=self.duration)
        return calls <= self.num_requests

    def wait(self) -> float:
        """Seconds until calls are accepted again."""
        return self.wait_s


class WriteLimit(CallLimit):
    """Calls that change something."""

    scope, is_safe = "write", False


class ReadLimit(CallLimit):
    """Calls that read, the questions of gates among them."""

    scope, is_safe = "read", True
