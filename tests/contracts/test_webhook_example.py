"""The program on the page about webhooks takes what this server sends, and nothing else."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config import env
from governance.notifications.domain.lines import NoticeLine
from governance.notifications.domain.signatures import cloud_event, new_secret, signed_headers
from weighbridge.core.canonical import canonical_bytes
from weighbridge.core.parsing.json_text import parse_object

PAGE = Path(env.ROOT / "docs" / "how-to" / "receive-webhooks.md").read_text()
NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.fixture
def is_genuine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "verify.py", "exec"), names)
    monkeypatch.setattr(time, "time", NOW.timestamp)
    return names["is_genuine"]  # type: ignore[no-any-return]


def test_the_event_on_the_page_has_the_fields_that_are_sent() -> None:
    shown = parse_object(block("json"), name="The event")
    line = NoticeLine(kind="decided", reference="MRR-2026-0001", sentence="A", url="https://a.test/", at=NOW)
    sent = cloud_event(line, message_id="msg_1", source="https://a.test", team="search")
    assert list(shown) == list(sent)
    assert list(shown["data"]) == list(sent["data"])
    assert shown["time"] == sent["time"]


def test_the_program_on_the_page_verifies(is_genuine: Callable[..., bool]) -> None:
    body, old, new = canonical_bytes({"specversion": "1.0"}), new_secret(), new_secret()

    def headers(at: datetime = NOW) -> dict[str, str]:
        return signed_headers(body, message_id="msg_1", keys=[new, old], now=at)

    assert is_genuine(body, headers(), new)
    assert is_genuine(body, headers(), old)
    assert not is_genuine(body, headers(), new_secret())
    assert not is_genuine(body + b" ", headers(), new)
    assert not is_genuine(body, headers(NOW - timedelta(minutes=6)), new)
