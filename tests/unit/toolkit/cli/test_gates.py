"""`weighbridge gate` and `weighbridge feed`: what they print, and their exit codes."""

from dataclasses import asdict

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.feed.feeds import (
    ALLOWED,
    ENTRIES,
    HOUR,
    NOW,
    OTHER_PUBLIC,
    PUBLIC,
    REVOKED,
    head_of,
    signed,
    summary_of,
    written,
)
from tests.unit.toolkit.client.feed.test_pulling import nodes_of, serve
from weighbridge.client.feed import merkle
from weighbridge.core import attestation


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A feed, the key that signed it, another one; and the time at which it was signed."""
    written(tmp_path)
    (tmp_path / "other.pem").write_text(OTHER_PUBLIC)
    monkeypatch.setattr("time.time", NOW.timestamp)
    return tmp_path


def env_of(desk, folder):
    return {
        "WEIGHBRIDGE_URL": desk.server.url + "/",
        "WEIGHBRIDGE_TOKEN": "t0ken",
        "WEIGHBRIDGE_PUBLIC_KEY": str(folder / "key.pem"),
    }


def test_the_gate_asks_the_server(desk, folder):
    allowed = {"answer": "allow", "reasons": ["A-1."], "summary": summary_of(ENTRIES[2])}
    for said, code, words in (
        (allowed, 0, "allowed until 2026-11-02T00:00:00Z: A-1.\n"),
        (
            {"answer": "deny", "reasons": ["No\x1b[1A\x1b[2K."], "summary": summary_of(ENTRIES[0])},
            1,
            "refused: No [1A [2K.\n",
        ),
        (
            {"answer": "allow", "reasons": ["Yes."]},
            2,
            "cannot tell: This is not a signed statement: its payload type is not application/vnd.in-toto+json.\n",
        ),
    ):
        desk.answers["GET", "/base/api/v1/gate/"] = (200, said)
        done = weighbridge("gate", ALLOWED, "--env", "prod", env=env_of(desk, folder))
        assert (done.exit_code, done.stdout) == (code, words)
    desk.answers["GET", "/base/api/v1/gate/"] = (200, allowed)
    other = ("--public-key", folder / "other.pem")
    assert weighbridge("gate", ALLOWED, "--env", "prod", *other, env=env_of(desk, folder)).exit_code == 2


def test_the_gate_asks_a_feed(folder, monkeypatch):
    arguments = ("--env", "prod", "--feed", folder / "feed.json", "--public-key")
    allowed = weighbridge("gate", ALLOWED, *arguments, folder / "key.pem")
    words = "allowed until 2026-11-02T00:00:00Z: This artifact is authorized in prod.\n"
    assert (allowed.exit_code, allowed.stdout) == (0, words)
    assert weighbridge("gate", REVOKED, *arguments, folder / "key.pem").exit_code == 1
    assert weighbridge("gate", ALLOWED, *arguments, folder / "other.pem").exit_code == 2
    monkeypatch.setattr("time.time", (NOW + HOUR / 2).timestamp)
    assert weighbridge("gate", ALLOWED, *arguments, folder / "key.pem", "--max-age", 1800).exit_code == 0
    assert weighbridge("gate", ALLOWED, *arguments, folder / "key.pem", "--max-age", 1799).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sha256:ab", "--env", "prod", "--public-key", "key.pem"), "is not a digest"),
        ((ALLOWED, "--env", "prod", "--public-key", "key.pem"), "Give a server and a token"),
        ((ALLOWED, "--env", "prod"), "Missing option '--public-key'"),
        ((ALLOWED, "--public-key", "key.pem"), "Missing option '--env'"),
        (
            (ALLOWED, "--env", "prod", "--public-key", "no.pem", "--server", "http://127.0.0.1:9", "--token", "t"),
            "cannot be read",
        ),
    ],
)
def test_a_gate_that_is_asked_wrongly_cannot_tell(arguments, words):
    done = weighbridge("gate", *arguments, env={"WEIGHBRIDGE_PUBLIC_KEY": None})
    assert done.exit_code == 2
    assert words in done.stderr


def test_the_feed_is_mirrored_and_proved(desk, folder):
    serve(desk, ENTRIES, known=0)
    done = weighbridge("feed", "pull", folder / "mirror.json", env=env_of(desk, folder))
    assert (done.exit_code, done.stdout) == (
        0,
        f"6 entries, root {head_of().root}, valid until 2026-11-01 01:00:00 UTC\n",
    )
    serve(desk, ENTRIES[:3], known=0)
    assert weighbridge("feed", "pull", folder / "mirror.json", env=env_of(desk, folder)).exit_code == 2
    proof = merkle.inclusion_proof(3, 6, nodes_of(ENTRIES))
    answer = {"entry": asdict(ENTRIES[3]), "head": signed(), "inclusion": [each.hex() for each in proof]}
    desk.answers["GET", "/base/api/v1/feed/entries/4/"] = (200, answer)
    done = weighbridge("feed", "prove", 4, env=env_of(desk, folder))
    assert done.stdout == f"{REVOKED} prod revoked at 2026-11-01T00:00:00Z: entry 4 of 6\n"
    desk.answers["GET", "/base/api/v1/feed/entries/4/"] = (200, answer | {"inclusion": []})
    assert weighbridge("feed", "prove", 4, env=env_of(desk, folder)).exit_code == 2


def test_the_public_key_is_fetched(desk, folder):
    desk.answers["GET", "/base/api/v1/keys/"] = (200, {"public_key_pem": PUBLIC})
    done = weighbridge("feed", "keys", folder / "fetched.pem", env=env_of(desk, folder))
    assert (done.exit_code, done.stdout) == (0, attestation.key_id(PUBLIC) + "\n")
    assert (folder / "fetched.pem").read_text() == PUBLIC
    desk.answers["GET", "/base/api/v1/keys/"] = (200, {})
    assert weighbridge("feed", "keys", folder / "none.pem", env=env_of(desk, folder)).exit_code == 2
    assert not (folder / "none.pem").exists()
