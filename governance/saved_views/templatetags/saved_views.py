"""Template tags: `{% load saved_views %}`."""

from typing import Any

from django import template
from django.template.context import RequestContext

from governance.people.web.current_user import person_of
from governance.saved_views.domain import LISTS, filters_of
from governance.saved_views.queries import views_of
from governance.saved_views.web import ViewForm

register = template.Library()


@register.inclusion_tag("governance/saved_views/_fragments/views_of_list.html", takes_context=True)
def saved_views(context: RequestContext) -> dict[str, Any]:
    """The saved views of the list that the page shows, and the form that saves the filters of its address."""
    request = context.request
    match = request.resolver_match
    if match is None or match.view_name not in LISTS:
        return {}
    person, filters = person_of(request), filters_of(request.META.get("QUERY_STRING", ""))
    rows = list(views_of(person).filter(list_name=match.view_name))
    is_new = bool(filters) and all(row.filters != filters for row in rows)
    given = {"list_name": match.view_name, "filters": filters}
    return {
        "rows": rows,
        "filters": filters,
        "person_id": person.id,
        "form": ViewForm(initial=given, person=person, auto_id="view-%s") if is_new else None,
    }
