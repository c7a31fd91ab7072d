"""Bringing a server in line with a folder: each request by itself, and a second run changes nothing."""

import json

import pytest
import yaml

from tests.unit.toolkit.client.test_request_file import MODEL, REVIEW
from weighbridge.cli.tables.sync_table import sync_table
from weighbridge.client.bulk import sync
from weighbridge.client.bulk.sync import SyncLine, SyncOutcome, sync_folder
from weighbridge.core.errors import Invalid

API = "/base/api/v1/"
ROW = {"ref": "MRR-2026-0007", "digest": "sha256:m", "team": "search", "purpose": "P", "environment": "prod"}


@pytest.fixture
def api(desk):
    desk.answers.update(
        {
            ("POST", f"{API}models/"): (201, {"digest": "sha256:m"}),
            ("POST", f"{API}datasets/"): (201, {"digest": "sha256:d"}),
            ("GET", f"{API}requests/"): (200, {"results": [], "next": None}),
            ("POST", f"{API}requests/"): (201, {"ref": "MRR-2026-0042"}),
        }
    )
    return desk


def write(folder, name, model=MODEL, **changes):
    (folder / "model.onnx").write_bytes(b"m")
    document = {**REVIEW, "model": {**model, "file": "model.onnx"}, **changes}
    (folder / name).write_text(yaml.safe_dump(document))


def known(desk, *rows):
    desk.answers["GET", f"{API}requests/"] = (200, {"results": list(rows), "next": None})


def synced(folder, desk):
    return list(sync_folder(folder, server=desk.server))


def calls(desk):
    return [(method, path.partition("?")[0].removeprefix(API)) for method, path, _, _ in desk.asked]


def test_new_drafts_are_filed_and_never_submitted(api, tmp_path):
    write(tmp_path, "a.yaml", submit=True)
    write(tmp_path, "b.yml", {**MODEL, "slug": "other"})
    assert synced(tmp_path, api) == [
        SyncLine("a.yaml", SyncOutcome.CREATED, "MRR-2026-0042", sync.UNSUBMITTED),
        SyncLine("b.yml", SyncOutcome.CREATED, "MRR-2026-0042"),
    ]
    assert calls(api) == [("POST", "models/"), ("GET", "requests/"), ("POST", "requests/")] * 2


def test_a_draft_is_updated_and_then_unchanged(api, tmp_path):
    write(tmp_path, "a.yaml", title="New title")
    known(api, ROW | {"state": "draft"})
    old = dict.fromkeys(sync.COMPARED, "same")
    path = f"{API}requests/MRR-2026-0007/"
    api.answers["GET", path] = (200, old | {"title": "Old title"})
    api.answers["POST", f"{path}edit/"] = (200, old | {"title": "New title"})
    assert synced(tmp_path, api) == [SyncLine("a.yaml", SyncOutcome.UPDATED, "MRR-2026-0007")]
    sent = json.loads(api.asked[-1][3])
    assert (sent["title"], sent["model_version"]) == ("New title", "sha256:m")
    api.answers["GET", path] = (200, old | {"title": "New title"})
    assert synced(tmp_path, api) == [SyncLine("a.yaml", SyncOutcome.UNCHANGED, "MRR-2026-0007")]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"state": "in_review"}, SyncOutcome.LEFT),
        ({"state": "decided"}, SyncOutcome.LEFT),
        ({"state": "in_review", "environment": "dev"}, SyncOutcome.LEFT),
        ({"state": "decided", "environment": "dev"}, SyncOutcome.CREATED),
        ({"state": "draft", "team": "others"}, SyncOutcome.CREATED),
        ({"state": "draft", "purpose": "Other"}, SyncOutcome.CREATED),
        ({"state": "draft", "digest": "sha256:x"}, SyncOutcome.CREATED),
    ],
)
def test_what_is_submitted_is_left_with_the_reason(api, tmp_path, row, outcome):
    write(tmp_path, "a.yaml")
    known(api, "no row", ROW | row)
    (line,) = synced(tmp_path, api)
    assert line.outcome is outcome
    if outcome is SyncOutcome.LEFT:
        words = row["state"].replace("_", " ")
        assert (line.ref, line.reason) == ("MRR-2026-0007", f"It is {words}; only drafts are updated.")
        assert ("POST", "requests/") not in calls(api)


def test_an_open_request_counts_before_one_that_ended(api, tmp_path):
    write(tmp_path, "a.yaml")
    known(api, ROW | {"state": "withdrawn", "ref": "MRR-2026-0001"}, ROW | {"state": "evidence"})
    (line,) = synced(tmp_path, api)
    assert line.ref == "MRR-2026-0007"


def test_every_page_of_the_list_is_read(api, tmp_path):
    write(tmp_path, "a.yaml")
    pages = [{"results": [], "next": "2"}, {"results": [ROW | {"state": "cleared"}], "next": None}]
    api.answers["GET", f"{API}requests/"] = [(200, page) for page in pages]
    (line,) = synced(tmp_path, api)
    assert line.outcome is SyncOutcome.LEFT
    assert [path.partition("?")[2] for method, path, _, _ in api.asked if method == "GET"] == [
        "q=sha256%3Am&page=1",
        "q=sha256%3Am&page=2",
    ]


def test_a_list_without_end_is_given_up(api, tmp_path, monkeypatch):
    monkeypatch.setattr(sync, "PAGES_MAX", 2)
    write(tmp_path, "a.yaml")
    api.answers["GET", f"{API}requests/"] = (200, {"results": None, "next": "more"})
    (line,) = synced(tmp_path, api)
    assert line.outcome is SyncOutcome.CREATED


def test_one_bad_request_stops_no_other(api, tmp_path):
    (tmp_path / "a.yaml").write_text("title: [")
    (tmp_path / "b.csv").write_text("Titel!\nx\n")
    write(tmp_path, "c.yaml")
    (tmp_path / "d.csv").write_text("title,accuracy\nT,0.9\n")
    write(tmp_path, "e.yaml")
    lines = {line.source: line for line in synced(tmp_path, api)}
    assert {name: line.outcome.value for name, line in lines.items()} == {
        "a.yaml": "refused",
        "b.csv": "refused",
        "c.yaml": "created",
        "d.csv:2": "refused",
        "e.yaml": "left",
    }
    assert lines["e.yaml"].reason == "c.yaml is about the same version and purpose."
    assert lines["d.csv:2"].reason == "purpose is missing or is not text."


def test_what_the_server_refuses_and_what_is_unclear(api, tmp_path):
    write(tmp_path, "a.yaml")
    write(tmp_path, "b.yaml", {**MODEL, "slug": "other"})
    api.answers["POST", f"{API}models/"] = [(400, {"detail": "The tier must be T1."}), None]
    refused, unclear = synced(tmp_path, api)
    assert (refused.outcome, unclear.outcome) == (SyncOutcome.REFUSED, SyncOutcome.UNCLEAR)
    assert "The tier must be T1." in refused.reason


def test_a_folder_without_requests_is_refused(api, tmp_path, monkeypatch):
    with pytest.raises(Invalid, match="There is no folder"):
        synced(tmp_path / "none", api)
    with pytest.raises(Invalid, match=r"has no file that ends in \.yaml, \.yml, \.csv"):
        synced(tmp_path, api)
    monkeypatch.setattr(sync, "FILES_MAX", 1)
    write(tmp_path, "a.yaml")
    write(tmp_path, "b.yaml")
    with pytest.raises(Invalid, match="more than 1 request files"):
        synced(tmp_path, api)


def test_the_table_shows_text_as_it_is():
    table = sync_table([SyncLine("a[red].yaml", SyncOutcome.LEFT, "MRR-1", "why")])
    assert [str(next(iter(column.cells))) for column in table.columns] == ["a[red].yaml", "left", "MRR-1", "why"]
