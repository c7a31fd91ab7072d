"""Secrets are hidden by value and by shape; what is around them stays."""

import pytest

from weighbridge.core import masking
from weighbridge.core.masking import hide_secrets, hide_url_password, mask

CANARY = "c4n4ry-Q9zP"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", set())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Basic {CANARY}==", "Authorization: [hidden]"),
        (f"{{'Authorization': 'Bearer {CANARY}'}}", "{'Authorization': [hidden]"),
        (f"cookie: sessionid={CANARY}; a=b\nnext", "cookie: [hidden]\nnext"),
        (
            f"postgresql://weigh:{CANARY}@db:5432/weighbridge is away",
            "postgresql://[hidden]@db:5432/weighbridge is away",
        ),
        (f"redis://:{CANARY}@broker/0", "redis://[hidden]@broker/0"),
        (f"GET /x?token={CANARY}&page=2", "GET /x?token=[hidden]&page=2"),
        (f'{{"api_token": "{CANARY}", "a": 1}}', '{"api_token": "[hidden]", "a": 1}'),
        (f"API_TOKEN={CANARY} in the environment", "API_TOKEN=[hidden] in the environment"),
        (f"host=db password={CANARY} user=w", "host=db password=[hidden] user=w"),
        (f"sent Token wb_{CANARY}abcdefghij", "sent Token [hidden]"),
        (f"made wb_{CANARY}abcdefghij.", "made [hidden]."),
        (f"with ATATT3xFfGF0{CANARY}", "with [hidden]"),
        (
            f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\nthen",
            "[hidden]\nthen",
        ),
        (f"-----BEGIN EC PRIVATE KEY-----\n{CANARY} cut of", "[hidden]"),
    ],
)
def test_shapes_of_secrets(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert CANARY not in masked


@pytest.mark.parametrize(
    "text",
    [
        "The token is wrong.",
        "Token authentication failed; ask an administrator for a new one.",
        "Jira said 401: write the header as Basic credentials.",
        "https://example.atlassian.net/browse/MR-1",
        "mail somebody@example.org about secret: ''",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert mask(text) == text


def test_known_values_are_hidden_wherever_they_stand_the_longest_first() -> None:
    hide_secrets("sesame-open", "sesame-open-now", "short", "")
    assert mask("a sesame-open-now, a sesame-open and a short") == "a [hidden], a [hidden] and a short"


def test_the_password_of_an_address_is_known_in_every_spelling() -> None:
    hide_url_password("smtp://mail:p%40ss-w0rd@host:25")
    assert mask("p@ss-w0rd p%40ss-w0rd") == "[hidden] [hidden]"
    hide_url_password("smtp://host:25")
    assert mask("host") == "host"


def test_long_texts_are_masked_in_time_that_grows_with_their_length() -> None:
    for piece in ("a-", "a.", "token-", "://a", "Token a"):
        assert len(mask(piece * 20_000)) > 0
