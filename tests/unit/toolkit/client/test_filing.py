"""The calls that make a file into a request."""

import pytest

from weighbridge.client.request_file import RequestFile
from weighbridge.client.server import ServerRefused
from weighbridge.client.submission import file_request

REVIEW = {"title": "T", "metric_values": []}


@pytest.fixture
def api(desk):
    desk.answers.update(
        {
            ("POST", "/base/api/v1/models/"): (201, {"digest": "sha256:m"}),
            ("POST", "/base/api/v1/datasets/"): (201, {"digest": "sha256:d"}),
            ("POST", "/base/api/v1/requests/"): (201, {"ref": "MRR-2026-0042"}),
            ("POST", "/base/api/v1/requests/MRR-2026-0042/submit/"): (200, {"state": "screening"}),
        }
    )
    return desk


def wanted(**changes):
    return RequestFile(
        **{
            "review": REVIEW,
            "model": {"slug": "v"},
            "model_file": None,
            "dataset": None,
            "dataset_file": None,
            "is_submitted": False,
            **changes,
        }
    )


def test_a_request_with_everything(api, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"model bytes")
    (tmp_path / "d.npz").write_bytes(b"data bytes")
    said = []
    whole = wanted(
        model_file=tmp_path / "m.onnx", dataset={"name": "held out"}, dataset_file=tmp_path / "d.npz", is_submitted=True
    )
    assert file_request(whole, server=api.server, key="k", report=said.append) == "MRR-2026-0042"
    assert said == ["model sha256:m", "data set sha256:d", "submitted MRR-2026-0042"]
    assert [(path.removeprefix("/base/api/v1/"), headers["Idempotency-Key"]) for _, path, headers, _ in api.asked] == [
        ("models/", "k-model"),
        ("datasets/", "k-dataset"),
        ("requests/", "k-review"),
        ("requests/MRR-2026-0042/submit/", "k-submit"),
    ]
    assert b"model bytes" in api.asked[0][3]
    assert b"data bytes" in api.asked[1][3]
    assert api.asked[2][3] == b'{"title": "T", "metric_values": [], "model_version": "sha256:m", "dataset": "sha256:d"}'


def test_a_request_without_data_stays_a_draft(api):
    assert file_request(wanted(), server=api.server, key="k", report=lambda _: None) == "MRR-2026-0042"
    assert len(api.asked) == 2
    assert b'"dataset": null' in api.asked[1][3]


def test_an_answer_without_a_digest_ends_the_filing(api):
    api.answers["POST", "/base/api/v1/models/"] = (201, {"digest": 3})
    with pytest.raises(ServerRefused, match="no digest"):
        file_request(wanted(), server=api.server, key="k", report=lambda _: None)
    assert len(api.asked) == 1
