"""Signed webhooks: a CloudEvents 1.0 document, signed as Standard Webhooks says (HMAC-SHA256 of id, time and body)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.notifications.domain.lines import NoticeLine

PREFIX, SECRET_BYTES = "whsec_", 32
OVERLAP = timedelta(days=7)
"""How long the old secret still signs after a rotation."""
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


def new_secret() -> str:
    """A random secret, as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(body: bytes, *, message_id: str, keys: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a message: its id, the time of this attempt, and a signature for each secret."""
    stamp = str(int(now.timestamp()))
    signatures = [f"v1,{_signature(body, message_id, stamp, key)}" for key in keys]
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def cloud_event(line: NoticeLine, *, message_id: str, source: str, team: str) -> dict[str, Any]:
    """The event in structured mode."""
    data: Mapping[str, Any] = {
        "kind": line.kind,
        "reference": line.reference,
        "sentence": line.sentence,
        "url": line.url,
        "team": team,
        "until": _time(line.until) if line.until else None,
    }
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": source,
        "type": f"weighbridge.{line.kind}",
        "subject": line.reference,
        "time": _time(line.at),
        "datacontenttype": "application/json",
        "data": data,
    }


def _signature(body: bytes, message_id: str, stamp: str, key: str) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(raw, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
