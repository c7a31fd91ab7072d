"""Pages of a requester, who files requests."""

from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from governance.inventory.models import ModelVersion


def _version() -> str:
    version = ModelVersion.objects.filter(asset__name="Product image classifier").earliest("pk")
    return at("reviews:version", version.pk)()


REQUESTER = PageGroup(
    "requester",
    "Requester",
    "A requester files requests for a team. Here it is Robin Requester of the team Visual Search.",
    (
        PicturedPage(
            name="inbox",
            title="Inbox of a requester",
            words="The inbox lists what waits for the requester, and where the own requests wait for others.",
            alt="Nothing waits for Robin Requester; one request waits for the vote of a platform lead",
            person="requester",
            address=at("reviews:inbox"),
        ),
        PicturedPage(
            name="requests",
            title="Requests",
            words="The list has filters by state, team and environment; a filter can be saved under a name.",
            alt="A table of requests with state, model, team and requester; above it the saved view In review",
            person="requester",
            address=at("reviews:list"),
        ),
        PicturedPage(
            name="filing-form",
            title="File a request",
            words="The form names the model, its purpose and its costs in five steps, and keeps a draft.",
            alt="The first step of the form: the environment, and eight kinds of subjects",
            person="requester",
            address=at("reviews:new"),
        ),
        PicturedPage(
            name="cost-bands",
            title="Cost bands",
            words="The calculator of costs draws the range of each option while values are entered.",
            alt="Two options with the median and the 80 % range of their costs, first as a chart and then as a table",
            person="requester",
            address=at("benchmarking:costs", part="#bands"),
        ),
        PicturedPage(
            name="model-version",
            title="Model version",
            words="The page of a version shows its digest, where it may run and what it was made from.",
            alt="A version of the product image classifier, which may run in production under a condition",
            person="requester",
            address=_version,
        ),
        PicturedPage(
            name="saved-views",
            title="Saved views",
            words="Filters that were saved are one click away; a view can be shared with a team.",
            alt="Two saved views, one of requests and one of runs",
            person="requester",
            address=at("governance:saved_views"),
        ),
        PicturedPage(
            name="notification-settings",
            title="Notification settings",
            words="For each kind of notification a person chooses the page, one mail a day, or mail at once.",
            alt="A list of kinds of notifications, each with its pace",
            person="requester",
            address=at("governance:notification_settings"),
        ),
    ),
)
