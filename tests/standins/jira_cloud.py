"""A stateful stand-in of Jira Cloud over HTTP, for the tests and the demo; standard library only.

    python -m tests.standins.jira_cloud --port 0 --port-file FILE [--index-lag-s 0] [--state FILE]

It prints its address and, for whoever waits for it, writes the same address to FILE once it answers. `docs/reference/
jira-standin.md` says what it keeps of Jira's contract and how to order failures.
"""

import argparse
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.standins.jira import routes
from tests.standins.jira.about import About, Config
from tests.standins.jira.faults import Fault
from tests.standins.jira.issues import Issues
from tests.standins.jira.oauth import Accounts
from tests.standins.jira.server import Site


class JiraCloud:
    """The stand-in of Cloud inside this process, for as long as the `with` block lasts.

    `clock` answers seconds since 1970: with one that the test moves, no test waits for an index or a limit.
    """

    def __init__(
        self, *, port: int = 0, state: Path | None = None, clock: Callable[[], float] = time.time, **config: Any
    ) -> None:
        self.config = Config(**config)
        self.issues = self._issues(state, clock)
        self.site = Site(self.issues.about, self.issues, port=port, routes=self.routes)
        self.url = self.site.url
        self._thread = threading.Thread(target=self.site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    routes = routes.CLOUD

    def _issues(self, state: Path | None, clock: Callable[[], float]) -> Issues:
        return Issues(About(self.config), state=state, clock=clock)

    @property
    def root(self) -> str:
        """The root of its API."""
        return self.issues.about.root

    @property
    def accounts(self) -> Accounts:
        """Its codes and tokens of OAuth."""
        return self.site.accounts

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.site.shutdown()
        self.site.server_close()
        self._thread.join()

    def order(self, match: str, **fault: Any) -> None:
        """Order a failure of the next request that matches; see `Fault`."""
        self.site.faults.add(Fault(match=match, **fault))

    def requests(self, match: str) -> list[str]:
        """The requests so far that begin with `match`, such as "POST /rest/api/3/issue "."""
        return [line for line in self.site.log if line.startswith(match)]

    def wait(self) -> None:
        """Serve until interrupted."""
        self._thread.join()


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line until interrupted."""
    parser = argparse.ArgumentParser(prog="jira_cloud", description="A stateful stand-in of Jira Cloud.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where the address is written once it answers")
    parser.add_argument("--index-lag-s", type=float, default=0.0, help="how long search lags behind a new issue")
    parser.add_argument("--state", type=Path, help="a file that keeps the issues over a restart")
    parser.add_argument("--email", default=Config().email)
    parser.add_argument("--token", default=Config().token)
    parser.add_argument("--project", default=Config().project)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes what it starts with & deaf to it
    config = {"index_lag_s": given.index_lag_s, "email": given.email, "token": given.token, "project": given.project}
    with JiraCloud(port=given.port, state=given.state, **config) as jira:
        print(jira.url, flush=True)
        if given.port_file:
            fresh = given.port_file.with_suffix(".new")
            fresh.write_text(f"{jira.url}\n", encoding="utf-8")
            fresh.replace(given.port_file)
        try:
            jira.wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
