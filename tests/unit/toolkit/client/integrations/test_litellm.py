"""The allow-list of an LLM gateway has only deployments that the feed allows, and nothing if the feed cannot tell."""

import pytest
import yaml

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.feed.feeds import ABSENT, ALLOWED, HOUR, NOW, REVOKED, written
from weighbridge.client.integrations.litellm.allow_list import allowed_config
from weighbridge.client.integrations.litellm.entries import Hosts
from weighbridge.core.errors import Invalid

REST = {
    "litellm_settings": {"fallbacks": [{"small": ["large"]}]},
    "general_settings": {"master_key": "os.environ/KEY"},
}


def deployment(name, digest=ALLOWED, model="openai/local"):
    row = {"model_name": name, "litellm_params": {"model": model, "api_base": "https://gpu.test/v1"}}
    return row | ({"model_info": {"mode": "chat", "weighbridge_digest": digest}} if digest else {})


ROWS = [
    deployment("small"),
    deployment("revoked", REVOKED),
    deployment("absent", ABSENT),
    deployment("nameless", None),
    deployment("*"),
    deployment("wild", model="openai/*"),
    deployment("number", 5),
    deployment("small", model="openai/twin"),
    {"litellm_params": {}},
    "odd",
    {"model_name": "odd", "model_info": {"weighbridge_digest": ALLOWED}},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", NOW.timestamp)
    written(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model_list": ROWS, **REST}))
    return tmp_path


def run(folder, *more, config="config.yaml"):
    keys = ("--feed", folder / "feed.json", "--public-key", folder / "key.pem", "--own-host", "GPU.test")
    return weighbridge("feed", "litellm", folder / config, "--out", folder / "out.yaml", "--env", "prod", *keys, *more)


def test_only_what_is_allowed_stays_and_the_rest_of_the_file_is_kept(folder):
    done = run(folder)
    assert (done.exit_code, done.stdout) == (0, "2 models allowed in prod\n")
    assert yaml.safe_load((folder / "out.yaml").read_text()) == {"model_list": [ROWS[0], ROWS[7]], **REST}
    lines = done.stderr.splitlines()
    assert len(lines) == 9
    assert lines[0] == "weighbridge: left out revoked: refused: This artifact is revoked in prod."
    assert lines[2].startswith("weighbridge: left out nameless: it names no weighbridge_digest")
    assert lines[6].startswith("weighbridge: left out model_list[8]")


def test_a_feed_that_cannot_tell_leaves_nothing(folder, monkeypatch):
    run(folder)
    assert run(folder, "--max-age", 0).exit_code == 0
    monkeypatch.setattr("time.time", (NOW + HOUR).timestamp)
    done = run(folder)
    assert (done.exit_code, done.stdout) == (2, "0 models allowed in prod\n")
    assert yaml.safe_load((folder / "out.yaml").read_text())["model_list"] == []


@pytest.mark.parametrize("text", ["", "[]", "model_list: {}", "a: [", "\xff", "[" * 10_000])
def test_a_file_that_is_no_configuration_changes_nothing(folder, text):
    (folder / "bad.yaml").write_bytes(text.encode("latin-1"))
    done = run(folder, config="bad.yaml")
    assert (done.exit_code, (folder / "out.yaml").exists()) == (2, False)
    assert run(folder, config="none.yaml").exit_code == 2


def test_nothing_is_asked_of_what_is_no_configuration():
    with pytest.raises(Invalid, match="model_list"):
        allowed_config({"model_list": "x"}, ask=None, hosts=Hosts())
