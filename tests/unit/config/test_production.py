"""What production refuses to start with, and the sentence that says what to do."""

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping

import pytest

from config import production
from config.env import MissingVariable
from config.production import MailServer
from examples.company.portfolio.people import PRODUCT
from examples.company.users import MEMBERS, PASSWORD
from governance.accounts.domain import DEMO_PASSWORD, DEMO_PEOPLE
from tests.architecture.tree import ROOT

KEY = "Zb4tQ0mX-7rHn2Vw_kPcY9sLgE3uJfA6oD1iRxT8zNqBvMhKyCjWeUpGdSaFlI5O2t9X"  # fixed: workers collect equal tests
SOUND: Mapping[str, str] = {
    "DJANGO_SETTINGS_MODULE": "config.settings.prod",
    "WEIGHBRIDGE_SECRET_KEY": KEY,
    "WEIGHBRIDGE_HOSTS": "weighbridge.example",
    "WEIGHBRIDGE_BASE_URL": "https://weighbridge.example",
    "WEIGHBRIDGE_PROXIES": "1",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "BROKER_URL": "redis://127.0.0.1:9/0",
}


@pytest.mark.parametrize(
    "make",
    [
        lambda: secrets.token_urlsafe(38),
        lambda: secrets.token_urlsafe(60),
        lambda: secrets.token_hex(32),
        lambda: base64.b64encode(secrets.token_bytes(40)).decode(),
    ],
)
def test_a_random_key_is_taken(make):
    for _ in range(200):
        key = make()
        assert production.check_secret_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        KEY[:49],
        "k" * 60,
        "change-me" * 7,
        "0123456789" * 6,
        "weighbridge-secret-key-" * 3,
        "django-insecure-" + KEY,
        "50 random characters or more … " * 2,
    ],
)
def test_a_weak_key_is_refused(key):
    with pytest.raises(MissingVariable, match=r"must have 50 random characters or more\. Make one with python -c"):
        production.check_secret_key(key)


@pytest.mark.parametrize("hosts", [[], ["*"], ["weighbridge.example", " * "], ["."], [".*"]])
def test_any_host_is_no_host(hosts):
    with pytest.raises(MissingVariable, match=r"WEIGHBRIDGE_HOSTS must name the hosts"):
        production.check_hosts(hosts)


def test_named_hosts_are_taken():
    assert production.check_hosts(["weighbridge.example", ".weighbridge.example"]) == [
        "weighbridge.example",
        ".weighbridge.example",
    ]


def test_the_people_of_the_demo_are_known():
    assert set(DEMO_PEOPLE) == {member.username for member in MEMBERS} | {PRODUCT[0]}
    assert PASSWORD == DEMO_PASSWORD


START = (
    "import django; from django.conf import settings; django.setup(); "
    "print(settings.ALLAUTH_TRUSTED_PROXY_COUNT, getattr(settings, 'SECURE_PROXY_SSL_HEADER', None), "
    "settings.WEIGHBRIDGE['ALLOWS_DEMO'])"
)


def start(tmp_path, **changes):
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    environment = inherited | dict(SOUND) | {"WEIGHBRIDGE_VAR": str(tmp_path / "var")} | changes
    return subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_production_starts_with_what_is_sound(tmp_path):
    behind, alone = start(tmp_path), start(tmp_path, WEIGHBRIDGE_PROXIES="0")
    assert behind.stdout == "1 ('HTTP_X_FORWARDED_PROTO', 'https') False\n", behind.stderr
    assert alone.stdout == "0 None False\n", "nobody but a proxy of ours says that a request came by TLS"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25, "", "", False, False)),
        (
            "smtp+tls://us%40er:pass%3Aword@mail.example",
            MailServer("mail.example", 587, "us@er", "pass:word", False, True),
        ),
        ("smtps://mail.example", MailServer("mail.example", 465, "", "", True, False)),
        ("smtp://mail.example:2525", MailServer("mail.example", 2525, "", "", False, False)),
    ],
)
def test_the_kind_of_url_says_how_mail_is_encrypted(url, found):
    assert production.mail_server(url) == found


def test_mail_comes_from_the_set_address_or_from_the_first_host():
    assert production.sender("", hosts=[".weighbridge.example", "other"]) == "weighbridge@weighbridge.example"
    assert production.sender("governance@example.com", hosts=["weighbridge.example"]) == "governance@example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEIGHBRIDGE_SECRET_KEY", ""),
        ("WEIGHBRIDGE_SECRET_KEY", "k" * 60),
        ("WEIGHBRIDGE_HOSTS", ""),
        ("WEIGHBRIDGE_HOSTS", "weighbridge.example,*"),
        ("WEIGHBRIDGE_PROXIES", ""),
        ("WEIGHBRIDGE_PROXIES", "-1"),
        ("WEIGHBRIDGE_PROXIES", "many"),
        ("EMAIL_URL", "imap://mail.example"),
        ("EMAIL_URL", "mail.example:25"),
        ("EMAIL_URL", "smtp://mail.example:port"),
        ("EMAIL_URL", "smtps://"),
        ("EMAIL_FROM", "nobody"),
    ],
)
def test_production_does_not_start_without(tmp_path, name, value):
    ended = start(tmp_path, **{name: value})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(name)
    assert "Traceback" not in ended.stderr
