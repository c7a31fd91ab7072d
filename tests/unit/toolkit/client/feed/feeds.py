"""Feeds as a server signs them, and what a dishonest one would send."""

from datetime import UTC, datetime, timedelta

from weighbridge.client.feed import merkle
from weighbridge.client.feed.document import write_feed
from weighbridge.client.feed.entries import Entry, instant_text
from weighbridge.client.feed.heads import Head, head_statement
from weighbridge.client.feed.summaries import summary_statement
from weighbridge.core import attestation

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ORIGIN = "https://weighbridge.test"
KEY, OTHER_KEY = attestation.new_key_pem(), attestation.new_key_pem()
PUBLIC, OTHER_PUBLIC = attestation.public_pem(KEY), attestation.public_pem(OTHER_KEY)
ALLOWED, REVOKED, ENDED, ABSENT = (f"sha256:{letter * 64}" for letter in "abcd")


def entry(position, digest, standing, *, until=None, environment="prod", at=NOW):
    return Entry(position, digest, environment, standing, instant_text(until) if until else None, instant_text(at))


ENTRIES = (
    entry(1, ALLOWED, "under_review"),
    entry(2, REVOKED, "authorized", until=NOW + DAY),
    entry(3, ALLOWED, "authorized", until=NOW + DAY),
    entry(4, REVOKED, "revoked"),
    entry(5, ENDED, "cleared", until=NOW),
    entry(6, ALLOWED, "rejected", environment="staging"),
)


def head_of(entries=ENTRIES, *, issued_at=NOW, valid=HOUR):
    root = "sha256:" + merkle.root_of(row.leaf for row in entries).hex()
    return Head(ORIGIN, len(entries), root, issued_at, issued_at + valid)


def signed(head=None, *, key=KEY):
    return attestation.sign(head_statement(head or head_of()), private_key_pem=key)


def written(folder, entries=ENTRIES, *, name="feed.json", key=KEY, **terms):
    """A feed file, and beside it the public key."""
    path = folder / name
    write_feed(path, envelope=signed(head_of(entries, **terms), key=key), entries=entries)
    (folder / "key.pem").write_text(PUBLIC)
    return path


def summary_of(row, *, head=None, digest=ALLOWED, environment="prod", key=KEY, policy="sha256:" + "9" * 64):
    statement = summary_statement(
        head or head_of(valid=timedelta(minutes=5)),
        entry=row,
        digest=digest,
        environment=environment,
        policy_digest=policy,
    )
    return attestation.sign(statement, private_key_pem=key)
