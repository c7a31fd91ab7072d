"""What the tests of ticket sites share: a site over HTTP, of each flavor."""

from collections.abc import Iterator

import pytest

from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter


@pytest.fixture(params=[JiraCloud, JiraDataCenter])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraCloud]:
    with request.param() as there:
        yield there
