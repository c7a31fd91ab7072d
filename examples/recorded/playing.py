"""How the recording is made: the demo, a request that waits for a vote, and a meeting that waits to be held."""

from pathlib import Path
from typing import Any

from examples.company import __main__ as demo
from examples.company.terminal import Terminal
from examples.recorded import recording


def play(var: Path) -> None:
    """Play the demo in a new installation, and record it. It takes about a quarter of an hour."""
    say = Terminal()
    say.step("Set up: database, tables, default policy and checklist")
    people = demo.set_up()
    from examples.company import train

    say.step("Train three families of models")
    models = train.train(var, say.line)
    demo.play(say, var, people, models)
    go_on(say, var, models)


def go_on(say: Terminal, var: Path, models: Any) -> None:
    """Play what comes after the first part of the demo, and write the recording."""
    from django.utils import timezone

    from examples.company.portfolio import story
    from examples.recorded.open_request import file_open_request
    from governance.jobs.models import Pulse

    say.step("A second request is measured, and waits for the vote of the lead")
    say.done(file_open_request(model=models.others[0], rival=models.best))
    story.play_open(say, folder=var / "demo" / "company")
    _leave_the_stand_in()
    demo.finish_jobs()
    Pulse.objects.all().delete()  # signs of life of processes that have ended
    left_out = recording.write(at=timezone.now())
    size_mb = recording.FILE.stat().st_size / 1e6
    say.done(f"{recording.FILE.name}: {size_mb:.1f} MB", f"{len(left_out)} large files are left out")


def _leave_the_stand_in() -> None:
    """Remove the ticket site: its stand-in ends with the demo, and no link may lead there."""
    from django.utils import timezone

    from governance.audit.actions import record as audit
    from governance.jobs.models import OutboxMessage
    from reviews.ticket_sync.actions.sites import remove_site
    from reviews.tickets.models import Ticket, TicketState
    from reviews.tickets.queries.sites import shown_sites

    with audit.origin("command"):
        for site in shown_sites():
            OutboxMessage.objects.filter(payload__system=site.pk).delete()
            Ticket.objects.filter(site=site).exclude(state=TicketState.LINKED).delete()
            remove_site(site=site, by=None, now=timezone.now())
    Ticket.objects.update(url="")
