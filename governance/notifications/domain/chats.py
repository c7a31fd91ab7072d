"""Messages for team chats: Block Kit of Slack, and an Adaptive Card for a workflow of Microsoft Teams.

Limits: 50 blocks and 3,000 characters of a section text in Slack (docs.slack.dev, Block Kit reference); 28 KB a message
in Teams (learn.microsoft.com, limits of Teams). Both services replace `&`, `<` and `>` in Slack's markup.
"""

from collections.abc import Sequence
from typing import Any

from governance.notifications.domain.lines import NoticeLine, headline
from weighbridge.core.canonical import canonical_bytes

LINES_MAX, SLACK_HEADER_MAX, SLACK_TEXT_MAX, TEAMS_BYTES_MAX = 20, 150, 3_000, 28_000
# Every character may become five: together they stay below what Slack takes in one section.
TEXT_MAX, REFERENCE_MAX = 400, 80


def slack_message(lines: Sequence[NoticeLine]) -> dict[str, Any]:
    """A message of an incoming webhook: a header, one section for each line, and a text for the notification."""
    sections = [_slack_line(line) for line in lines[:LINES_MAX]]
    header = {"type": "header", "text": {"type": "plain_text", "text": headline(lines)[:SLACK_HEADER_MAX]}}
    return {
        "text": _slack(headline(lines)[:SLACK_TEXT_MAX]),
        "blocks": [header, *sections, *map(_slack_section, _rest(lines))],
    }


def teams_message(lines: Sequence[NoticeLine]) -> dict[str, Any]:
    """A message of a workflow that starts with a webhook, with as many lines as Teams takes."""
    shown = LINES_MAX
    while len(canonical_bytes(message := _teams_message(lines, shown))) > TEAMS_BYTES_MAX:
        shown -= 1
    return message


def _teams_message(lines: Sequence[NoticeLine], shown: int) -> dict[str, Any]:
    """One Adaptive Card of version 1.4."""
    header = _teams_text(_teams(headline(lines)[:SLACK_HEADER_MAX]), weight="Bolder", size="Medium")
    body: list[dict[str, Any]] = [header]
    for line in lines[:shown]:
        linked = f"[{_teams(_cut(line.reference, REFERENCE_MAX))}]({line.url})"
        body.append(_teams_text(f"**{_teams(line.title)}** {linked}: {_teams(_cut(line.text))}"))
    body += [_teams_text(text) for text in _rest(lines, shown)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _rest(lines: Sequence[NoticeLine], shown: int = LINES_MAX) -> list[str]:
    return [f"And {len(lines) - shown} more."] if len(lines) > shown else []


def _cut(text: str, most: int = TEXT_MAX) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _slack_line(line: NoticeLine) -> dict[str, Any]:
    reference = _slack(_cut(line.reference, REFERENCE_MAX))
    return _slack_section(f"*{_slack(line.title)}* <{line.url}|{reference}>\n{_slack(_cut(line.text))}")


def _slack_section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams_text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def _teams(text: str) -> str:
    """The text without the marks that Markdown would read."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+!|<>~" else one for one in text)
