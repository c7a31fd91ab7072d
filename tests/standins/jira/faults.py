"""Failures to order: which request, how it fails, how many times."""

import re
import threading
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """One order. `match` is a regular expression searched in "METHOD /path"; `times` of -1 means until cleared.

    Of the effects, `drop_before_commit`, `status` and `body` keep the request from being done; `drop_after_commit`,
    and `fail_503_after_commit` spoil only the answer. `delay_s` holds the answer back after the work.
    """

    match: str
    times: int = 1
    drop_before_commit: bool = False
    drop_after_commit: bool = False
    fail_503_after_commit: bool = False
    status: int = 0
    retry_after: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    delay_s: float = 0.0
    strip_labels: bool = False

    @property
    def before_commit(self) -> bool:
        """Whether the request is never done."""
        return bool(self.status) and not self.fail_503_after_commit

    def answer_headers(self) -> dict[str, str]:
        """The headers of the spoiled answer."""
        return self.headers | ({"Retry-After": self.retry_after} if self.retry_after is not None else {})


class Faults:
    """The orders in force, taken one by one in the order they were given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put an order at the end."""
        re.compile(fault.match)
        with self._lock:
            self._orders.append(fault)

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._orders.clear()

    def take(self, request: str) -> Fault | None:
        """The first order that matches the request; it is used up by one."""
        with self._lock:
            for fault in self._orders:
                if fault.times and re.search(fault.match, request):
                    fault.times -= fault.times > 0
                    self._orders = [order for order in self._orders if order.times]
                    return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """The orders as JSON."""
        with self._lock:
            return [asdict(fault) for fault in self._orders]
