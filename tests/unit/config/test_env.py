"""Environment variables: what they hold, what stands for an unset one, and the sentence a wrong one ends with."""

import pytest

from config import env
from config.env import MissingVariable
from weighbridge.core import masking


@pytest.mark.parametrize(("value", "expected"), [("", "wb"), ("test", "test")])
def test_an_empty_variable_counts_as_an_unset_one(monkeypatch, value, expected):
    monkeypatch.setenv("WEIGHBRIDGE_INSTANCE", value)
    assert env.text("WEIGHBRIDGE_INSTANCE", "wb") == expected


def test_a_variable_without_a_default_is_asked_for(monkeypatch):
    monkeypatch.delenv("WEIGHBRIDGE_SECRET_KEY", raising=False)
    with pytest.raises(MissingVariable) as refused:
        env.text("WEIGHBRIDGE_SECRET_KEY")
    assert str(refused.value) == (
        "WEIGHBRIDGE_SECRET_KEY is not set. Django's secret key, 50 random characters or more. Production must set it."
        " Set it in the environment and start again."
    )


@pytest.mark.parametrize(("value", "expected"), [("", 20), ("7", 7), ("0", 0)])
def test_a_whole_number_defaults_to_what_the_table_says(monkeypatch, value, expected):
    monkeypatch.setenv("WEIGHBRIDGE_LEASE_S", value)
    assert env.number("WEIGHBRIDGE_LEASE_S") == expected


def test_a_required_number_has_no_default(monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_PROXIES", "")
    assert env.number("WEIGHBRIDGE_PROXIES") == 0
    with pytest.raises(MissingVariable, match=r"^WEIGHBRIDGE_PROXIES is not set\. Number of reverse proxies"):
        env.number("WEIGHBRIDGE_PROXIES", is_required=True)
    monkeypatch.setenv("WEIGHBRIDGE_PROXIES", "0")
    assert env.number("WEIGHBRIDGE_PROXIES", is_required=True) == 0


@pytest.mark.parametrize(
    ("value", "expected"), [("", False), ("no", False), ("yes", True), ("TRUE", True), ("1", True)]
)
def test_yes_and_no(monkeypatch, value, expected):
    monkeypatch.setenv("WEIGHBRIDGE_DEBUG", value)
    assert env.flag("WEIGHBRIDGE_DEBUG") is expected


def test_a_list_leaves_empty_parts_out(monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_LOAD_TARGETS", "a.example,, b.example=10.0.0.0/8")
    assert env.names("WEIGHBRIDGE_LOAD_TARGETS", []) == ["a.example", " b.example=10.0.0.0/8"]


@pytest.mark.parametrize(
    ("read", "name", "value", "sentence"),
    [
        (env.number, "WEIGHBRIDGE_LEASE_S", "soon", "must be: seconds. Not a valid integer."),
        (env.number, "WEIGHBRIDGE_LEASE_S", "-1", "must be: seconds. Must be greater than or equal to 0."),
        (env.flag, "WEIGHBRIDGE_REQUIRE_MFA", "ja", "must be: yes/no. Not a valid boolean."),
    ],
)
def test_a_wrong_value_ends_the_program_with_a_sentence_that_names_the_variable(
    monkeypatch, read, name, value, sentence
):
    monkeypatch.setenv(name, value)
    with pytest.raises(MissingVariable) as refused:
        read(name)
    assert str(refused.value) == f"{name} {sentence} Correct it in the environment and start again."


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("WEIGHBRIDGE_WEBHOOK_NETWORKS", "a.test=10.0.0.0/8,b.test=inside", "'inside' is not a network;"),
        ("WEIGHBRIDGE_WEBHOOK_NETWORKS", "a.test=10.0.0.1/8", "'10.0.0.1/8' is not a network;"),
        ("WEIGHBRIDGE_WEBHOOK_NETWORKS", "=10.0.0.0/8", "Write HOST or HOST=NETWORK."),
        ("WEIGHBRIDGE_WEBHOOK_NETWORKS", "a.test=10.0.0.0/8, 10.0.0.0/8", "'10.0.0.0/8' names no network."),
        ("WEIGHBRIDGE_LOAD_TARGETS", "a.test=inside", "'inside' is not a network;"),
    ],
)
def test_a_host_that_is_malformed_ends_the_program_at_the_start(monkeypatch, name, value, why):
    """And not when the first webhook is called, which is far from whoever wrote it."""
    needs = {"need_network": name == "WEIGHBRIDGE_WEBHOOK_NETWORKS"}
    monkeypatch.setenv(name, "a.test=10.0.0.0/8, b.test=fd00::/8")
    assert env.hosts(name, **needs) == ["a.test=10.0.0.0/8", " b.test=fd00::/8"]
    monkeypatch.setenv(name, value)
    with pytest.raises(MissingVariable) as refused:
        env.hosts(name, **needs)
    assert str(refused.value).startswith(f"{name} must be: HOST")
    assert why in str(refused.value)
    monkeypatch.setenv(name, "")
    assert env.hosts(name, **needs) == []


@pytest.mark.parametrize("name", ["OIDC_CLIENT_SECRET", "WEIGHBRIDGE_SECRET_KEY"])
def test_a_secret_is_hidden_from_the_moment_it_is_read(monkeypatch, name):
    monkeypatch.setenv(name, "hush-hush-4711")
    assert env.text(name, "") == "hush-hush-4711"
    assert "hush-hush-4711" not in masking.mask("the token hush-hush-4711 is wrong")


@pytest.mark.parametrize(("value", "expected"), [("", [3, 1]), ("5", [5]), ("10,2", [10, 2])])
def test_whole_numbers_default_to_what_the_table_says(monkeypatch, value, expected):
    monkeypatch.setenv("WEIGHBRIDGE_REMIND_DAYS", value)
    assert env.numbers("WEIGHBRIDGE_REMIND_DAYS") == expected


@pytest.mark.parametrize("value", ["soon", "3,-1", "1;2"])
def test_what_is_not_a_whole_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("WEIGHBRIDGE_REMIND_DAYS", value)
    with pytest.raises(MissingVariable, match="WEIGHBRIDGE_REMIND_DAYS must be: whole numbers, comma separated"):
        env.numbers("WEIGHBRIDGE_REMIND_DAYS")


def test_a_share_is_at_most_100_percent(monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_ESCALATE_PERCENT", "101")
    with pytest.raises(MissingVariable, match="WEIGHBRIDGE_ESCALATE_PERCENT must be"):
        env.number("WEIGHBRIDGE_ESCALATE_PERCENT", most=100)
