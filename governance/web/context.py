"""What every page knows: who is looking."""

from typing import Any

from django.http import HttpRequest

from governance.rules import may_operate, may_read_trail
from governance.web.reader import person_of


def page(request: HttpRequest) -> dict[str, Any]:
    """The person behind the session, and what the navigation shows them."""
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {"person": None, "may_operate": False, "may_read_trail": False}
    person = person_of(request)
    return {"person": person, "may_operate": may_operate(person), "may_read_trail": may_read_trail(person)}
