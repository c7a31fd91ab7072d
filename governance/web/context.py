"""What every page knows: who is looking."""

from typing import Any

from django.http import HttpRequest

from governance.queries.people import person_of
from governance.rules import may_operate


def page(request: HttpRequest) -> dict[str, Any]:
    """The person behind the session, and what the navigation shows them."""
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {"person": None, "may_operate": False}
    person = person_of(request.user)
    return {"person": person, "may_operate": may_operate(person)}
