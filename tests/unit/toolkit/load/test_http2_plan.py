"""The plan, the requests and the verdict of a load test over HTTP/2."""

import dataclasses

import numpy as np
import pytest
from hpack import Decoder
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.load.servers import pinned, samples_of
from tests.unit.toolkit.load.test_report import fired
from weighbridge.core.errors import Invalid
from weighbridge.load.generator.http2.frames import FrameReader, headers_bytes
from weighbridge.load.messages import build_requests
from weighbridge.load.plan import LoadPlan, Protocol, protocol_from
from weighbridge.load.results.client_limits import limits_of_client
from weighbridge.load.results.report import load_manifest, metrics_of_test, notes
from weighbridge.load.results.samples import RequestOutcome

CLEAR = LoadPlan(url="http://localhost/", rate_per_s=10, duration_s=2, protocol=Protocol.HTTP_2_CLEAR)


def test_the_options_name_a_protocol():
    assert protocol_from(http2=False, prior_knowledge=False) is Protocol.HTTP_1
    assert protocol_from(http2=True, prior_knowledge=False) is Protocol.HTTP_2
    assert protocol_from(http2=False, prior_knowledge=True) is Protocol.HTTP_2_CLEAR
    with pytest.raises(Invalid, match="not both"):
        protocol_from(http2=True, prior_knowledge=True)


@pytest.mark.parametrize(
    ("url", "protocol", "advice"),
    [
        ("http://localhost/", Protocol.HTTP_2, "use --http2-prior-knowledge"),
        ("https://localhost/", Protocol.HTTP_2_CLEAR, "use --http2 with https"),
    ],
)
def test_http2_is_negotiated_in_tls_and_known_without_it(url, protocol, advice):
    with pytest.raises(Invalid, match=advice) as refused:
        dataclasses.replace(CLEAR, url=url, protocol=protocol)
    assert refused.value.field == "http2"


def decoded(request):
    return [(name.decode(), value.decode()) for name, value in Decoder().decode(request.headers, raw=True)]


def test_a_request_has_the_headers_of_the_plan_in_lower_case(tmp_path):
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n[]\n')
    plan = dataclasses.replace(
        CLEAR, method="POST", headers=(("Authorization", "Bearer s"), ("Accept", "a/b")), body=str(tmp_path / "b.jsonl")
    )
    first, second = build_requests(plan, pinned(8000, path="/x?y=1"))
    assert decoded(first) == [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost:8000"),
        (":path", "/x?y=1"),
        ("authorization", "Bearer s"),
        ("accept", "a/b"),
        ("user-agent", "weighbridge-load"),
        ("content-type", "application/json"),
        ("content-length", "8"),
    ]
    assert (first.body, second.body, decoded(second)[-1]) == (b'{"a": 1}', b"[]", ("content-length", "2"))
    (bare,) = build_requests(CLEAR, pinned(80))
    assert dict(decoded(bare)) == {
        ":method": "GET",
        ":scheme": "http",
        ":authority": "localhost",
        ":path": "/predict",
        "user-agent": "weighbridge-load",
        "accept": "*/*",
    }


@pytest.mark.parametrize("name", ["Keep-Alive", "TE", "Proxy-Connection"])
def test_a_header_that_http2_has_not_is_refused(name):
    with pytest.raises(Invalid, match=f"HTTP/2 has no such header {name.lower()}; remove it") as refused:
        build_requests(dataclasses.replace(CLEAR, headers=((name, "x"),)), pinned(80))
    assert refused.value.field == "header"


def test_trailers_may_be_asked_for():
    """Servers of gRPC refuse requests that do not."""
    (request,) = build_requests(dataclasses.replace(CLEAR, headers=(("TE", "trailers"),)), pinned(80))
    assert ("te", "trailers") in decoded(request)


@given(st.binary(max_size=70_000), st.booleans())
def test_headers_of_any_length_are_read_as_they_were_sent(block, ends):
    sent = headers_bytes(block, stream=7, ends_stream=ends)
    if len(block) <= 65_536:
        (frame,) = FrameReader().frames(sent)
        assert (frame.content, frame.stream, frame.ends_stream) == (block, 7, ends)


def waiting(plan, *, streams):
    """Requests that waited 100 ms for one of the streams of a fixed connection."""
    rows = [(at, at, at + 100.0, at + 101.0, RequestOutcome.ANSWERED) for at in np.arange(700.0)]
    return dataclasses.replace(fired(samples_of(*rows)), pool_limits=("fixed",), peak=1, streams=streams)


def test_a_limit_of_streams_is_none_of_the_target():
    """The answer is refused, and says what limited it."""
    plan = dataclasses.replace(CLEAR, connections=1, p99_limit_ms=50.0)
    result = waiting(plan, streams=2)
    (reason,) = limits_of_client(plan, result, metrics_of_test(plan, result))
    assert reason.code == "connections.busy"
    assert "the 1 connections fixed by --connections" in reason.message
    assert "A connection of HTTP/2 had at most 2 requests at once" in reason.message
    old = dataclasses.replace(plan, protocol=Protocol.HTTP_1)
    (reason,) = limits_of_client(old, result, metrics_of_test(old, result))
    assert "HTTP/2" not in reason.message


def test_the_protocol_is_in_the_manifest_and_in_the_notes():
    described = load_manifest(CLEAR, pinned(80))
    assert (described["plan"]["protocol"], "hpack" in described["libraries"]) == ("h2c", True)
    assert [note["code"] for note in notes(CLEAR)] == ["bodies.unchecked", "connections.shared"]
    assert "hpack" not in load_manifest(dataclasses.replace(CLEAR, protocol=Protocol.HTTP_1), pinned(80))["libraries"]
