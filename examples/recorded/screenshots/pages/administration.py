"""Pages of administrators and auditors."""

from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from reviews.tickets.models import SiteState, TicketRoute, TicketSite


def _site() -> str:
    return at("reviews:ticket_site", TicketSite.objects.get(state=SiteState.ACTIVE).pk)()


def _preview() -> str:
    return at("reviews:ticket_route_preview", TicketRoute.objects.get().pk)()


ADMINISTRATION = PageGroup(
    "administration",
    "Administrators and auditors",
    "An administrator connects other systems; an auditor reads everything. Here: Ada Admin, Abel Admin, Aud Auditor.",
    (
        PicturedPage(
            name="jira-site",
            title="Jira site",
            words="A Jira is set up in eight steps and tested with every route before tickets are opened in it.",
            alt="The last step: seven tests of the connection passed; below them the route of the tickets",
            person="admin",
            address=_site,
        ),
        PicturedPage(
            name="ticket-preview",
            title="Preview of a ticket",
            words="The ticket of a request can be read before it exists; nothing is sent.",
            alt="The project, summary, label and description of a ticket, made from a request",
            person="admin",
            address=_preview,
        ),
        PicturedPage(
            name="webhooks",
            title="Webhooks",
            words="A team can be told of its events in Slack or Teams, or by signed messages.",
            alt="A webhook of the team Visual Search, and the form that adds another",
            person="admin",
            address=at("governance:webhooks"),
        ),
        PicturedPage(
            name="changes",
            title="Changes that need two people",
            words="Roles, rules, budgets and evaluation sets change only if a second person confirms.",
            alt="A proposed role that waits for a second person, and closed changes below it",
            person="admin2",
            address=at("governance:changes"),
        ),
        PicturedPage(
            name="integrations",
            title="Integrations",
            words="What is sent to other systems, what waits, and what failed in all attempts.",
            alt="A connected Jira site, the numbers of messages, and no dead message",
            person="admin",
            address=at("governance:integrations"),
        ),
        PicturedPage(
            name="audit-trail",
            title="Audit trail",
            words="Each event contains the hash of the event before it, so a removed or edited event is found.",
            alt="The head of the chain, and the latest events with person, time and hash",
            person="auditor",
            address=at("governance:audit"),
        ),
    ),
)
