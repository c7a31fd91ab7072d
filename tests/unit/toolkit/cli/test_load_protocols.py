"""`weighbridge load` over HTTP/2 and with bodies of rows: real processes against servers in a thread."""

import asyncio
import json
import threading

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.load.http2_servers import http2
from tests.unit.toolkit.load.servers import OK, answering, certified, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def served():
    """Serve in a thread until the test ends, and return the port."""
    ends = []

    def serve(target, tls=None):
        ready, loop, stopped = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
        ports = []

        async def run():
            async with serving(target, tls=tls) as port:
                ports.append(port)
                ready.set()
                await stopped.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
        thread.start()
        ready.wait()
        ends.append((loop, stopped, thread))
        return ports[0]

    yield serve
    for loop, stopped, thread in ends:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


def test_http2_over_tls_with_secrets_and_own_certificates(served, tmp_path):
    context, heard = certified(tmp_path), []
    context.set_alpn_protocols(["h2"])
    port = served(http2(heard=heard), tls=context)
    (tmp_path / "headers.txt").write_text("Authorization: Bearer sekret-h2-token\n")
    done = weighbridge(
        *("load", f"https://localhost:{port}/predict", "--http2", "--rate", 50, "--duration", "1s", "--processes", 1),
        *("--header-file", tmp_path / "headers.txt", "--cacert", tmp_path / "cert.pem", "--json", tmp_path / "r.json"),
    )
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["plan"]["protocol"], result["manifest"]["plan"]["protocol"]) == ("h2", "h2")
    assert (result["run"]["connections_at_once"], result["run"]["requests_per_connection"]) == (1, 100)
    assert result["errors"] == []
    assert "over HTTP/2" in " ".join(done.stdout.split())
    assert {asked.headers["authorization"] for asked in heard} == {"Bearer sekret-h2-token"}
    assert "sekret" not in done.output + (tmp_path / "r.json").read_text()
    assert len(heard) == result["metrics"]["error_rate"]["n"]


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("http://127.0.0.1:{port}/", ["--http2-prior-knowledge"], "omit --http2"),
        ("http://127.0.0.1:{port}/", ["--http2"], "use --http2-prior-knowledge"),
        ("https://127.0.0.1:{port}/", ["--http2-prior-knowledge"], "use --http2 with https"),
        ("https://127.0.0.1:{port}/", ["--http2-prior-knowledge", "--http2"], "not both"),
        ("http://127.0.0.1:{port}/", ["--http2-prior-knowledge", "--header", "TE: x"], "HTTP/2 has no such header te"),
    ],
)
def test_what_cannot_be_http2_is_refused_in_a_sentence(served, tmp_path, url, options, words):
    heard = []
    port = served(answering(OK, heard=heard))
    done = weighbridge("load", url.format(port=port), *options, "--duration", "1s", "--json", tmp_path / "r.json")
    assert (done.exit_code, done.stdout, words in done.stderr) == (2, "", True), done.output
    assert list(tmp_path.iterdir()) == []
    assert [message for message in heard if message.startswith(b"GET")] == []


def test_a_search_that_streams_limit_is_refused_with_the_reason(served, tmp_path):
    from h2.settings import SettingCodes

    from tests.unit.toolkit.load.http2_servers import after

    port = served(http2(after(0.05), settings={SettingCodes.MAX_CONCURRENT_STREAMS: 1}))
    done = weighbridge(
        *("load", f"http://127.0.0.1:{port}/", "--http2-prior-knowledge", "--connections", 1, "--find-max"),
        *("--p99-ms", 200, "--rate", 100, "--duration", "0.5s", "--json", tmp_path / "r.json"),
    )
    found = json.loads((tmp_path / "r.json").read_text())
    assert (done.exit_code, found["reason"], found["highest_rate_per_s"]) == (2, "client_limit", None)
    assert "at most 1 requests at once" in done.stdout.replace("\n", " ")


def test_bodies_are_filled_from_rows(served, tmp_path):
    heard = []
    port = served(answering(OK, heard=heard))
    (tmp_path / "rows.csv").write_text("a,t\n1,one\n2,two\n3,three\n")
    (tmp_path / "body.json").write_text('{"a": {{ a }}, "t": {{ t }}}')
    options = "--body", tmp_path / "body.json", "--data", tmp_path / "rows.csv", "--duration", "1s"
    done = weighbridge("load", f"http://127.0.0.1:{port}/", *options, "--rate", 40, "--json", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    bodies = [json.loads(message.partition(b"\r\n\r\n")[2]) for message in heard]
    assert {(body["a"], body["t"]) for body in bodies} == {(1, "one"), (2, "two"), (3, "three")}
    assert result["manifest"]["bodies"]["bytes"] == {"least": 20, "median": 20.0, "most": 22}
    assert (result["plan"]["rows"]["used"], result["plan"]["rows"]["data"]) == (3, "rows.csv")
    words = " ".join(done.stdout.split())
    assert "sent bodies: 3 of body.json, filled from 3 of 3 rows of rows.csv; 20 to 22 bytes, median 20" in words
    heard.clear()
    (tmp_path / "body.json").write_text('{"a": {{ b }}}')
    refused = weighbridge("load", f"http://127.0.0.1:{port}/", *options, "--json", tmp_path / "s.json")
    assert (refused.exit_code, "has {{ b }}, but the rows have only a, t" in refused.stderr) == (2, True)
    assert (heard, (tmp_path / "s.json").exists()) == ([], False)


def test_a_template_without_rows_is_sent_and_noted(served, tmp_path):
    port = served(answering(OK))
    (tmp_path / "body.json").write_text('"{{ name }}"')
    done = weighbridge("load", f"http://127.0.0.1:{port}/", "--body", tmp_path / "body.json", "--duration", "0.2s")
    assert "note: body.json was sent as it is, with its {{ }}; give --data" in " ".join(done.stdout.split())
