"""An event loop whose timers are on time to a tenth of a millisecond; epoll's own timeout is in whole milliseconds."""

import asyncio
import select
import selectors


class PreciseSelector(selectors.DefaultSelector):
    """Waits with `select` on the one descriptor of epoll, then asks epoll what is ready."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready within `timeout` seconds; None waits until something is."""
        if timeout is None or timeout > 0:
            select.select([self.fileno()], [], [], timeout)
        return super().select(0)


def precise_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop with that selector, where the system has epoll; elsewhere its usual one."""
    has_epoll = selectors.DefaultSelector.__name__ == "EpollSelector"
    return asyncio.SelectorEventLoop(PreciseSelector() if has_epoll else None)
