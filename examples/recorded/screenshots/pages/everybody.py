"""Pages that are the same for everybody, and views that each page has."""

from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from examples.recorded.tour import request_in_review

EVERYBODY = PageGroup(
    "everybody",
    "Everybody",
    "These pages and views are the same for all people.",
    (
        PicturedPage(
            name="log-in",
            title="Log in",
            words="`make try` lists the people of the demo; one click logs in as one of them.",
            alt="A button for each of eleven people with the roles beside it; the first is Lee Lead, a platform lead",
            address=at("account_login"),
        ),
        PicturedPage(
            name="tour",
            title="Tour",
            words="The tour follows one decision from the inbox to the money, on the pages themselves.",
            alt="The decision screen with the panel of the tour, step 2 of 7, with buttons Back, Next and End",
            person="lead",
            address=at("reviews:inbox"),
            presses=("Start the tour", "Next"),
        ),
        PicturedPage(
            name="glossary",
            title="Glossary",
            words="Each term has one meaning here, in the API and on the command line; a `?` beside a word opens it.",
            alt="The glossary: terms of a request, each with its meaning",
            person="requester",
            address=at("governance:glossary"),
        ),
        PicturedPage(
            name="decision-dark",
            title="Dark theme",
            words="Every page has a dark theme, which follows the system until a person chooses one.",
            alt="The decision screen with light text on a dark ground",
            person="lead",
            address=request_in_review(),
            is_dark=True,
        ),
        PicturedPage(
            name="inbox-on-a-phone",
            title="On a phone",
            words="Every page can be used at 390 pixels; wide tables scroll sideways.",
            alt="The inbox of a platform lead in one narrow column",
            person="lead",
            address=at("reviews:inbox"),
            presses=("No, thanks",),
            is_narrow=True,
        ),
    ),
)
