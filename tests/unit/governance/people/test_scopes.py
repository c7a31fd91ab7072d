"""The truth table of token scopes."""

import pytest

from governance.people.domain.scopes import TokenScope, check_scope
from tests.refusals import has_code
from weighbridge.core.errors import NotAllowed

DOORS = (
    "api:gate",
    "api:keys",
    "api:reviews",
    "api:workload-reports",
    "api:worker",
    "api:worker-take",
    "api:workers",
    "",
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "get")
LOOKS = {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("scope", list(TokenScope))
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("door", DOORS)
def test_what_a_token_opens(scope: TokenScope, method: str, door: str) -> None:
    is_work = door in {"api:worker", "api:worker-take"}
    allowed = {
        TokenScope.WRITE: not is_work,
        TokenScope.READ: method in LOOKS and not is_work,
        TokenScope.GATE: method in LOOKS and door in {"api:gate", "api:keys"},
        TokenScope.REPORT: method == "POST" and door == "api:workload-reports",
        TokenScope.WORKER: is_work,
    }[scope]
    if allowed:
        check_scope(scope, method=method, door=door)
    else:
        with pytest.raises(NotAllowed, check=has_code("scope")):
            check_scope(scope, method=method, door=door)
