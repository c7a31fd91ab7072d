"""Whether the process answers: for load balancers and container health checks."""

from django.http import HttpRequest, HttpResponse


def livez(request: HttpRequest) -> HttpResponse:
    """Alive; touches no database, so a database that is away does not restart a healthy process."""
    return HttpResponse("ok\n", content_type="text/plain")
