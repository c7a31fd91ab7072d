"""Pages of a list in an answer."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.site.queries import BoundedPaginator


class BoundedPages(PageNumberPagination):
    """Numbered pages of the first 10,000 rows; `count` is 10,001 if there are more."""

    django_paginator_class = BoundedPaginator

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        """The rows of the page that the request names. NotFound says how to reach rows that no page has."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except NotFound as error:
            beyond = BoundedPaginator(queryset, 1).beyond
            raise NotFound(f"{error.detail} {beyond}".strip()) from error

    def get_paginated_response(self, data: Any) -> Response:
        """The answer with the count and the addresses of the pages beside."""
        response = super().get_paginated_response(data)
        response.data["count"] = self.page.paginator.counted  # type: ignore[union-attr]  # a page was made
        return response
