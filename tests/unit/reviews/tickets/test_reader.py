"""The adapter reads: every page of comments and moves, many tickets at once, and rich text as people read it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reviews.tickets.jira import reader as module
from reviews.tickets.jira import tracker
from reviews.tickets.jira.flavors.adf import prose
from reviews.tickets.jira.reader import JiraReader
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import TicketGone
from tests.standins.jira.about import ACCOUNT
from tests.standins.jira.webhooks import Delivery, Sender, Webhooks, post_to
from tests.standins.jira_cloud import JiraCloud
from tests.unit.reviews.tickets.conftest import DRAFT, account_of, body_of

SAID = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello."}]}],
}


@pytest.fixture
def reader(jira: JiraCloud) -> Iterator[JiraReader]:
    jira.config.limits_writes = False
    opened = JiraReader(
        JiraSettings(**account_of(jira), project="MR"), clock=lambda: datetime(2026, 11, 24, tzinfo=UTC)
    )
    opened.open(DRAFT)
    yield opened
    opened.close()


def test_every_page_is_read(reader: JiraReader, jira: JiraCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker, "PAGE", 2)
    for number in range(5):
        jira.issues.add_comment(
            "MR-1", {"body": body_of(jira, "Hello.")}, author=ACCOUNT if number == 4 else "a-person"
        )
    for way in ("21", "11", "41"):
        jira.issues.transition("MR-1", {"transition": {"id": way}}, author="a-person")
    found = reader.read("10001")
    assert [comment.is_by_us for comment in found.comments] == [False] * 4 + [True]
    assert {comment.text.strip() for comment in found.comments} == {"Hello."}
    assert [(move.status, move.category, move.is_by_us) for move in found.moves] == [
        ("In Progress", "indeterminate", False),
        ("To Do", "new", False),
        ("Done", "done", False),
    ]
    assert (found.key, found.status, found.updated_at.tzinfo is not None) == ("MR-1", "Done", True)
    monkeypatch.setattr(module, "ENTRIES_MAX", 4)
    assert len(reader.read("10001").comments) == 4


GROUP = {"type": "group", "value": "managers", "identifier": "5e1f"}


@pytest.mark.parametrize(
    ("limits", "is_read"),
    [
        ({}, True),
        ({"visibility": None, "jsdPublic": True, "properties": []}, True),
        ({"properties": [{"key": "other", "value": 1}, {"key": module.INTERNAL, "value": {"internal": False}}]}, True),
        ({"visibility": GROUP}, False),
        ({"visibility": {"type": "role", "value": "Administrators"}, "jsdPublic": True}, False),
        ({"visibility": {}}, False),
        ({"jsdPublic": False}, False),
        ({"properties": [{"key": module.INTERNAL, "value": {"internal": True}}]}, False),
        ({"properties": [{"key": module.INTERNAL, "value": {"internal": "true"}}]}, False),
        ({"properties": [{"key": module.INTERNAL, "value": {}}]}, False),
        ({"properties": [{"key": module.INTERNAL, "value": "yes"}]}, False),
    ],
)
@pytest.mark.parametrize("author", ["a-person", ACCOUNT])
def test_a_comment_that_not_everybody_sees_is_not_read(
    reader: JiraReader, jira: JiraCloud, limits: dict[str, object], is_read: bool, author: str
) -> None:
    jira.issues.add_comment("MR-1", {"body": body_of(jira, "First.")}, author="a-person")
    _, said = jira.issues.add_comment("MR-1", {"body": body_of(jira, "Hidden?")} | limits, author=author)
    assert [each.text.strip() for each in reader.read("10001").comments] == ["First.", *["Hidden?"] * is_read]
    jira.issues.change_comment("MR-1", said["id"], body_of(jira, "Edited."), visibility=GROUP)
    assert [each.text.strip() for each in reader.read("10001").comments] == ["First."]
    assert "Edited." not in str(reader.read("10001"))


def test_our_own_moves_need_no_names_of_statuses(reader: JiraReader, jira: JiraCloud) -> None:
    reader.transition("10001", "Done")
    assert [(move.is_by_us, move.category) for move in reader.read("10001").moves] == [(True, "")]
    assert jira.requests(f"GET {jira.root}/status") == []


def test_many_are_looked_at_in_one_request(reader: JiraReader, jira: JiraCloud) -> None:
    seen = reader.read_statuses(["10001", "10002"])
    assert {key: (each.status, each.categories) for key, each in seen.items()} == {"10001": ("To Do", ("To Do", "new"))}
    assert len(jira.requests("POST")) == 2, "the opening, and one look"
    assert seen["10001"].updated_at == reader.read("10001").updated_at
    jira.issues.delete("MR-1")
    assert reader.read_statuses(["10001"]) == {}
    with pytest.raises(TicketGone):
        reader.read("10001")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (SAID, "Hello.\n"),
        (
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "a"}, {"type": "hardBreak"}, {"type": "text", "text": "b"}],
            },
            "a\nb\n",
        ),
        ({"type": "paragraph", "content": [{"type": "mention", "attrs": {"text": "@Ada"}}]}, "@Ada\n"),
        (
            {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "https://x.test"}}]},
            "https://x.test\n",
        ),
        ({"type": "paragraph", "content": [{"type": "emoji", "attrs": "none"}, {"type": "text", "text": 7}]}, "\n"),
        ({"type": "bulletList", "content": [{"type": "listItem", "content": [SAID, SAID]}]}, "Hello.\nHello.\n"),
        (None, ""),
        ("text", ""),
        ({}, ""),
    ],
)
def test_rich_text_as_people_read_it(node: object, expected: str) -> None:
    assert prose(node) == expected


def test_the_stand_in_sends_by_its_own_thread_what_was_not_taken_before(jira: JiraCloud) -> None:
    sender, taken = Webhooks(jira.issues, "s"), []

    def post(delivery: Delivery) -> int:
        taken.append(delivery.identifier)
        return 503 if len(taken) == 1 else 202

    jira.issues.create({"fields": {"summary": "x", "issuetype": {"name": "Task"}, "project": {"key": "MR"}}})
    assert (sender.flush(post), sender.flush(post), sender.flush(post)) == ([503], [202], [])
    assert taken[0] == taken[1]
    thread = Sender(sender, f"{jira.url}/hooks/jira/")
    jira.issues.delete("MR-1")
    thread.start()
    while len(sender.answers) < 3:
        thread.join(0.01)
    thread.stop()
    assert (sender.answers[2], thread.is_alive()) == (404, False)


def test_the_stand_in_sends_to_this_machine_only() -> None:
    for url in ("http://example.org/hooks/jira/", "https://127.0.0.1/", "http://127.0.0.1.example.org/"):
        with pytest.raises(ValueError, match="not on this machine"):
            post_to(url)
