"""An installation for the load of deliveries: tables, and five requests with their tickets. Says where its database is.

python -m tests.performance.inbound_place
"""

import json
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

TICKETS = 5
SECRET = "the secret of the hook"


def main() -> None:
    """Make it, and print the socket of the database and the issues it knows."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from governance.audit.actions import record as audit
    from reviews.tickets.models import Ticket, TicketState
    from tests.factories import requests as walks
    from tests.factories.models import make_version
    from tests.factories.people import make_cast
    from tests.factories.tickets import make_site

    call_command("migrate", verbosity=0, interactive=False)
    now = timezone.now()
    with audit.origin("command"):
        author = make_cast(now=now).author
        version = make_version(by=author, now=now)
        site = make_site(now=now, webhook=SECRET)
        for number in range(TICKETS):
            draft = walks.make_draft(by=author, now=now, version=version, with_data=False, purpose=f"Purpose {number}")
            Ticket.objects.create(
                request=draft,
                site=site,
                label=f"label-{number}",
                state=TicketState.LINKED,
                remote_id=str(10_000 + number),
                key=f"MR-{number}",
                linked_at=now,
            )
    issues = list(Ticket.objects.order_by("pk").values_list("remote_id", flat=True))
    print(json.dumps({"socket": settings.DATABASES["default"]["HOST"], "issues": issues, "site": site.pk}))


if __name__ == "__main__":
    main()
