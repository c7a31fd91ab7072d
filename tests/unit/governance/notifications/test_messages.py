"""What messages look like: chats against their documented limits, signed events by independent code, calendars."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.notifications.domain.calendars import calendar_file
from governance.notifications.domain.chats import slack_message, teams_message
from governance.notifications.domain.kinds import CATALOG, NoticePace, pace_of, title_of
from governance.notifications.domain.lines import NoticeLine, headline
from governance.notifications.domain.signatures import cloud_event, new_secret, signed_headers
from weighbridge.core.canonical import canonical_bytes

AT = datetime(2026, 5, 1, 12, 30, 15, 999, tzinfo=UTC)
URL = "https://weighbridge.test/requests/MRR-2026-0001/"


def a_line(**fields: Any) -> NoticeLine:
    given = {"kind": "decided", "reference": "MRR-2026-0001", "sentence": "Approved.", "url": URL, "at": AT}
    return NoticeLine(**given | fields)


text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=1200)
lines = st.lists(
    st.builds(
        a_line,
        kind=st.sampled_from([*CATALOG, "gone"]),
        reference=st.text(min_size=1, max_size=200),
        sentence=text,
        until=st.sampled_from([None, AT]),
        in_place_of=st.text(max_size=60),
    ),
    min_size=1,
    max_size=60,
)

# Slack: https://docs.slack.dev/reference/block-kit/blocks (header 150 characters, section text 3,000, 50 blocks).
SLACK = {
    "type": "object",
    "required": ["text", "blocks"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40_000},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["type", "text"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "header"},
                            "text": {
                                "type": "object",
                                "required": ["type", "text"],
                                "properties": {
                                    "type": {"const": "plain_text"},
                                    "text": {"type": "string", "minLength": 1, "maxLength": 150},
                                },
                            },
                        },
                    },
                    {
                        "type": "object",
                        "required": ["type", "text"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "section"},
                            "text": {
                                "type": "object",
                                "required": ["type", "text"],
                                "properties": {
                                    "type": {"const": "mrkdwn"},
                                    "text": {"type": "string", "minLength": 1, "maxLength": 3000},
                                },
                            },
                        },
                    },
                ]
            },
        },
    },
}
# Teams: "Post to a channel when a webhook request is received"; Adaptive Cards 1.4, https://adaptivecards.io/explorer.
TEAMS = {
    "type": "object",
    "required": ["type", "attachments"],
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "type": "object",
                        "required": ["type", "version", "body"],
                        "properties": {
                            "type": {"const": "AdaptiveCard"},
                            "version": {"const": "1.4"},
                            "body": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "object",
                                    "required": ["type", "text"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "type": {"const": "TextBlock"},
                                        "text": {"type": "string", "minLength": 1},
                                        "wrap": {"type": "boolean"},
                                        "weight": {"enum": ["Lighter", "Default", "Bolder"]},
                                        "size": {"enum": ["Small", "Default", "Medium", "Large", "ExtraLarge"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
TEAMS_BYTES_MAX = 28_000


@given(told=lines)
def test_messages_of_chats_keep_to_what_the_services_document(told: list[NoticeLine]) -> None:
    jsonschema.validate(slack_message(told), SLACK)
    jsonschema.validate(teams_message(told), TEAMS)


@pytest.mark.parametrize(("letter", "shown"), [("x", 20), ("&", 20), ("\\", 11), ("漢", 14), ("😀", 11), ("<", 14)])
def test_the_longest_lines_are_small_enough_for_each_chat(letter: str, shown: int) -> None:
    """Whatever a letter becomes in the markup and in bytes; a chat refuses a larger message for ever."""
    url = "https://weighbridge.example.org" + "/x" * 200
    told = [a_line(sentence=letter * 5_000, reference=letter * 200, url=url) for _ in range(1_000)]
    assert len(canonical_bytes(teams_message(told))) <= TEAMS_BYTES_MAX
    body = teams_message(told)["attachments"][0]["content"]["body"]
    assert (len(body) - 2, body[-1]["text"]) == (shown, f"And {1_000 - shown} more.")
    jsonschema.validate(slack_message(told), SLACK)
    assert slack_message(told)["blocks"][-1]["text"]["text"] == "And 980 more."


def test_text_is_text_in_the_markup_of_each_chat() -> None:
    hostile = a_line(sentence="<!channel> & [click](https://evil.test) *all*")
    slack = slack_message([hostile])["blocks"][1]["text"]["text"]
    assert slack == f"*Decided* <{URL}|MRR-2026-0001>\n&lt;!channel&gt; &amp; [click](https://evil.test) *all*"
    named = slack_message([a_line(reference="<!channel> & co")])["text"]
    assert named == "Decided: &lt;!channel&gt; &amp; co"
    header, line = teams_message([hostile])["attachments"][0]["content"]["body"]
    assert "](" not in header["text"]
    teams = line["text"]
    escaped = "\\<\\!channel\\> & \\[click\\]\\(https://evil.test\\) \\*all\\*"
    assert teams == f"**Decided** [MRR-2026-0001]({URL}): {escaped}"


def test_many_lines_are_counted() -> None:
    told = [a_line(reference=f"MRR-{n}") for n in range(23)]
    assert slack_message(told)["blocks"][-1]["text"]["text"] == "And 3 more."
    assert teams_message(told)["attachments"][0]["content"]["body"][-1]["text"] == "And 3 more."
    assert headline(told) == "Decided: 23 notifications"
    assert headline([a_line(), a_line(kind="failed")]) == "2 notifications"
    assert headline([a_line(reference="A\r\nBcc: x")]) == "Decided: A Bcc: x"


def verified(body: bytes, headers: dict[str, str], secret: str) -> bool:
    """The receiver of https://www.standardwebhooks.com, written by itself."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    raw = base64.b64decode(secret.split("_", 1)[1])
    expected = base64.b64encode(hmac.digest(raw, signed, hashlib.sha256))
    given_by = [one.split(",", 1) for one in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(value.encode(), expected) for version, value in given_by)


def test_the_signature_is_that_of_the_published_example() -> None:
    """From the specification of Standard Webhooks."""
    secret, body = "whsec_plJ3nmyCDGBKInavdOK15jsl", b'{"event_type":"ping","data":{"success":true}}'
    now = datetime.fromtimestamp(1731705121, tz=UTC)
    headers = signed_headers(body, message_id="msg_loFOjxBNrRLzqYUf", keys=[secret], now=now)
    assert headers["webhook-timestamp"] == "1731705121"
    assert headers["webhook-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


@given(body=st.binary(max_size=500))
def test_two_secrets_are_valid_and_a_third_is_not(body: bytes) -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers(body, message_id="msg_1", keys=[new, old], now=AT)
    assert verified(body, headers, old)
    assert verified(body, headers, new)
    assert not verified(body, headers, new_secret())
    assert not verified(body + b" ", headers, new)
    assert not verified(body, headers | {"webhook-id": "msg_2"}, new)
    assert not verified(body, headers | {"webhook-timestamp": "1"}, new)


def test_an_event_has_the_attributes_of_cloudevents() -> None:
    event = cloud_event(a_line(until=AT), message_id="msg_1", source="https://weighbridge.test", team="search")
    assert event == {
        "specversion": "1.0",
        "id": "msg_1",
        "source": "https://weighbridge.test",
        "type": "weighbridge.decided",
        "subject": "MRR-2026-0001",
        "time": "2026-05-01T12:30:15Z",
        "datacontenttype": "application/json",
        "data": {
            "kind": "decided",
            "reference": "MRR-2026-0001",
            "sentence": "Approved.",
            "url": URL,
            "team": "search",
            "until": "2026-05-01T12:30:15Z",
        },
    }


def test_a_secret_is_long_random_and_written_as_the_standard_says() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != new_secret()


@given(title=text)
def test_a_calendar_file_is_folded_and_escaped(title: str) -> None:
    file = calendar_file(uid="2026Q2", title=title, url=URL, starts_at=AT, stated_at=AT, now=AT)
    assert file.endswith("END:VCALENDAR\r\n")
    assert all(len(one.encode()) <= 75 for one in file.split("\r\n"))
    unfolded = file.replace("\r\n ", "").split("\r\n")
    assert unfolded[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    summary = next(one for one in unfolded if one.startswith("SUMMARY:"))
    plain = summary.removeprefix("SUMMARY:").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
    assert plain == " ".join(title.split()) or "\\" in title
    assert "DTSTART:20260501T123015Z" in unfolded
    assert "SEQUENCE:10413015" in unfolded
    assert "DTEND:20260501T133015Z" in unfolded


def test_a_long_title_is_folded_between_characters() -> None:
    file = calendar_file(uid="2026Q2", title="Überprüfung " * 20, url=URL, starts_at=AT, stated_at=AT, now=AT)
    (start,) = [number for number, line in enumerate(file.split("\r\n")) if line.startswith("SUMMARY:")]
    folded = file.split("\r\n")[start : start + 3]
    assert [line[0] for line in folded[1:]] == [" ", " "]
    assert max(len(line.encode()) for line in folded) in {74, 75}


@pytest.mark.parametrize("kind", CATALOG)
def test_every_kind_has_words_and_a_default_that_a_choice_replaces(kind: str) -> None:
    assert title_of(kind) == CATALOG[kind].title
    assert CATALOG[kind].meaning.endswith(".")
    assert pace_of(kind, chosen={}) is CATALOG[kind].pace
    assert pace_of(kind, chosen={kind: "none"}) is NoticePace.NONE


def test_the_defaults_are_at_once_for_what_cannot_wait_and_a_digest_for_the_rest() -> None:
    at_once = {kind for kind, one in CATALOG.items() if one.pace is NoticePace.AT_ONCE}
    assert at_once == {"lapses", "condition_due", "authorization_ends", "account"}
    assert {one.pace for kind, one in CATALOG.items() if kind not in at_once} == {NoticePace.DIGEST}
    assert title_of("a_later_kind") == "A later kind"
