"""A draft is filed, updated or left alone; and the comment on a pull request."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.test_filing import wanted
from weighbridge.client.drafts.comment import MARK, comment_of, escaped
from weighbridge.client.drafts.filing import Drafted, file_draft
from weighbridge.client.server import ServerRefused

DIGEST = "sha256:" + "a" * 64
REVIEW = {"title": "T", "purpose": "Search", "environment": "prod", "metric_values": []}
REF, URL = "MRR-2026-0042", "https://weighbridge.test/requests/MRR-2026-0042/"
ROW = {
    "ref": REF,
    "html_url": URL,
    "state": "draft",
    "digest": DIGEST,
    "purpose": "Search",
    "environment": "prod",
    "team": "t",
}
API = "/base/api/v1/"


@pytest.fixture
def api(desk):
    desk.answers.update(
        {
            ("POST", f"{API}models/"): (201, {"digest": DIGEST}),
            ("POST", f"{API}datasets/"): (201, {"digest": "sha256:d"}),
            ("GET", f"{API}requests/"): (200, {"results": []}),
            ("POST", f"{API}requests/"): (201, ROW),
            ("POST", f"{API}requests/{REF}/edit/"): (200, ROW),
            ("POST", f"{API}requests/{REF}/submit/"): (200, {**ROW, "state": "in_review"}),
            ("GET", f"{API}gate/"): (200, {"answer": "deny", "standing": "unknown", "reasons": ["No *request*."]}),
        }
    )
    return desk


def filed(api, **changes):
    request = wanted(review=REVIEW, model={"slug": "v", "team": "t"}, **changes)
    return file_draft(request, server=api.server, key="k", report=lambda _: None)


def steps(api):
    return [(method, path.removeprefix(API).partition("?")[0]) for method, path, _, _ in api.asked]


def test_a_new_request_is_filed(api):
    assert filed(api) == Drafted(REF, URL, "draft", "filed", DIGEST, "prod")
    assert steps(api) == [("POST", "models/"), ("GET", "requests/"), ("POST", "requests/")]
    assert json.loads(api.asked[2][3]) == {**REVIEW, "model_version": DIGEST, "dataset": None}


def test_a_draft_is_updated_and_not_filed_again(api):
    api.answers["GET", f"{API}requests/"] = (
        200,
        {"results": ["x", {**ROW, "purpose": "Other"}, {**ROW, "team": "ads"}, ROW]},
    )
    assert filed(api, dataset={"name": "d"}).done == "updated"
    assert steps(api)[-1] == ("POST", f"requests/{REF}/edit/")
    assert json.loads(api.asked[-1][3])["dataset"] == "sha256:d"


@pytest.mark.parametrize("state", ["evidence", "in_review", "decided", "cleared"])
def test_what_people_have_submitted_is_left_alone(api, state):
    api.answers["GET", f"{API}requests/"] = (200, {"results": [{**ROW, "state": state}]})
    found = filed(api, is_submitted=True)
    assert (found.done, found.state) == ("left as it is", state)
    assert steps(api) == [("POST", "models/"), ("GET", "requests/")]


@pytest.mark.parametrize("state", ["withdrawn", "expired"])
def test_after_an_end_the_artifact_is_filed_again(api, state):
    api.answers["GET", f"{API}requests/"] = (200, {"results": [{**ROW, "state": state}]})
    assert filed(api).done == "filed"


def test_a_file_that_says_so_is_submitted(api):
    found = filed(api, is_submitted=True)
    assert (found.done, found.state) == ("filed, submitted", "in_review")


def test_two_programs_at_once_end_with_one_request(api):
    api.answers["GET", f"{API}requests/"] = [(200, {"results": []}), (200, {"results": [ROW]})]
    api.answers["POST", f"{API}requests/"] = (409, {"detail": "There is already an open request."})
    assert filed(api).done == "updated"


@pytest.mark.parametrize("known", [[], [ROW]])
def test_another_refusal_stays_one(api, known):
    api.answers["GET", f"{API}requests/"] = (200, {"results": known})
    for path in ("requests/", f"requests/{REF}/edit/"):
        api.answers["POST", API + path] = (400, {"detail": "The title is missing."})
    with pytest.raises(ServerRefused, match="The title is missing"):
        filed(api)


def test_a_strange_list_is_no_request(api):
    api.answers["GET", f"{API}requests/"] = (200, {"results": 3})
    assert filed(api).done == "filed"


GATE = {"answer": "allow", "standing": "authorized", "reasons": [f"A-{number}." for number in range(9)]}
DRAFTED = Drafted(REF, URL, "in_review", "updated", DIGEST, "prod")


def test_the_comment_says_what_was_done_and_the_standing():
    assert comment_of(DRAFTED, {**GATE, "reasons": ["MRR-2026-0042 was cleared."]}) == (
        f"{MARK}\n"
        rf"**Weighbridge**: the request [MRR\-2026\-0042]({URL}) was updated. It is in review."
        f"\n\nThe artifact `{DIGEST}` may run in prod. Its standing is authorized.\n"
        r"- MRR\-2026\-0042 was cleared\."
        "\n"
    )


def test_a_comment_is_short_and_holds_no_markup_of_others():
    assert comment_of(DRAFTED, GATE).count("\n- ") == 5
    evil = Drafted("[x](http://evil)", "javascript:alert(1)", "draft", "filed", DIGEST, "prod")
    text = comment_of(evil, {"reasons": ["@everyone <img src=x> [a](http://evil)"], "answer": 3})
    assert "javascript" not in text
    assert "may not run in prod. Its standing is unknown." in text
    assert r"- \@everyone \<img src=x\> \[a\]\(http://evil\)" in text
    assert escaped("`a`\x1b") == r"\`a\`"


REQUEST = """
title: T
purpose: Search
environment: prod
business_case: B
model: {team: t, slug: s, name: n, version: v, tier: T1, task: other, owner: ada, uri: "s3://b/m.onnx", sha256: ab}
"""


def test_the_command_files_and_writes_the_comment(api, tmp_path):
    (tmp_path / "r.yaml").write_text(REQUEST)
    options = ("--server", api.server.url, "--token", "t0ken")
    done = weighbridge("request", "draft", tmp_path / "r.yaml", "--markdown", tmp_path / "c.md", *options)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [f"model {DIGEST}", f"filed; it is draft: {URL}", REF]
    assert r"No \*request\*\." in (tmp_path / "c.md").read_text()
    assert f"subject=sha256%3A{'a' * 64}" in api.asked[-1][1]
    assert weighbridge("request", "draft", tmp_path / "r.yaml", *options).exit_code == 0


@pytest.mark.parametrize(("status", "code"), [(403, 1), (500, 2)])
def test_a_refusal_writes_no_comment(api, tmp_path, status, code):
    (tmp_path / "r.yaml").write_text(REQUEST)
    api.answers["POST", f"{API}models/"] = (status, {"detail": "No."})
    options = ("--server", api.server.url, "--token", "t0ken", "--markdown", tmp_path / "c.md")
    done = weighbridge("request", "draft", tmp_path / "r.yaml", *options)
    assert done.exit_code == code
    assert not (tmp_path / "c.md").exists()
