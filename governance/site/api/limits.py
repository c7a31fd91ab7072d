"""Limits of the API for each person: how many calls that write, and how many that read, in a minute."""

from typing import Any

from django.core.cache import caches
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class CallLimit(SimpleRateThrottle):
    """Counts the calls of a person in this process; all tokens and sessions of a person count together."""

    cache = caches["calls"]
    is_safe: bool

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """The counter of the person; None for calls of the other kind, and before somebody is known."""
        if (request.method in SAFE_METHODS) is not self.is_safe or request.user is None:
            return None
        return f"calls:{self.scope}:{request.user.pk}"


class WriteLimit(CallLimit):
    """Calls that change something."""

    scope, is_safe = "write", False


class ReadLimit(CallLimit):
    """Calls that read, the questions of gates among them."""

    scope, is_safe = "read", True
