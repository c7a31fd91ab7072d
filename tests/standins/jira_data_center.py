"""A stateful stand-in of Jira Data Center over HTTP, beside that of Cloud: the same failures, another API.

In a test: `with JiraDataCenter(version="9.12.0") as jira: ...`. What it keeps of Atlassian's contract stands in
`tests/standins/jira/data_center.py`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.standins.jira import routes
from tests.standins.jira.data_center import ServerAbout, ServerIssues
from tests.standins.jira_cloud import JiraCloud


class JiraDataCenter(JiraCloud):
    """The stand-in of Data Center inside this process, for as long as the `with` block lasts."""

    routes = routes.DATA_CENTER

    def __init__(
        self,
        *,
        version: str = "10.3.1",
        port: int = 0,
        state: Path | None = None,
        clock: Callable[[], float] = time.time,
        **config: Any,
    ) -> None:
        self._version = version
        super().__init__(port=port, state=state, clock=clock, **({"deployment": "Server"} | config))

    def _issues(self, state: Path | None, clock: Callable[[], float]) -> ServerIssues:
        about = ServerAbout(self.config)
        about.version = self._version
        return ServerIssues(about, state=state, clock=clock)
