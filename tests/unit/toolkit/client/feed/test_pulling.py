"""A mirror of the feed grows with its server, and refuses a server that rewrites or shortens its history."""

from dataclasses import asdict, replace

import pytest

from tests.unit.toolkit.client.feed.feeds import (
    ENTRIES,
    NOW,
    OTHER_KEY,
    PUBLIC,
    REVOKED,
    entry,
    head_of,
    signed,
    written,
)
from tests.unit.toolkit.client.feed.test_merkle import naive_root
from weighbridge.client.feed import merkle
from weighbridge.client.feed.document import read_feed
from weighbridge.client.feed.pulling import prove, pull
from weighbridge.core.errors import Refused


def nodes_of(rows):
    leaves = [row.leaf for row in rows]
    return lambda level, index: naive_root(leaves[index << level : (index + 1) << level])


def serve(desk, rows, *, known, head=None, proof=None, pages=None):
    """What an honest server of these entries says to a mirror that knows some."""
    path = merkle.consistency_proof(known, len(rows), nodes_of(rows)) if proof is None else proof
    desk.answers["GET", "/base/api/v1/feed/head/"] = (
        200,
        {"head": head or signed(head_of(rows)), "consistency": [each.hex() for each in path]},
    )
    given = pages if pages is not None else [rows[known:]]
    desk.answers["GET", "/base/api/v1/feed/"] = [
        (200, {"entries": [asdict(row) for row in page]}) for page in given
    ] or (200, {"entries": []})


def test_a_mirror_begins_and_grows(desk, tmp_path):
    path = tmp_path / "feed.json"
    serve(desk, ENTRIES[:3], known=0, pages=[ENTRIES[:2], ENTRIES[2:4]])
    assert pull(path, server=desk.server, keys=[PUBLIC]).entries == ENTRIES[:3]
    asked = [each[1] for each in desk.asked]
    assert asked == ["/base/api/v1/feed/head/?known=0", "/base/api/v1/feed/?after=0", "/base/api/v1/feed/?after=2"]
    serve(desk, ENTRIES, known=3)
    pull(path, server=desk.server, keys=[PUBLIC])
    assert read_feed(path, keys=[PUBLIC]).entries == ENTRIES
    serve(desk, ENTRIES, known=6, head=signed(head_of(issued_at=NOW.replace(year=2027))))
    assert pull(path, server=desk.server, keys=[PUBLIC]).head.issued_at.year == 2027


REWRITTEN = (ENTRIES[0], replace(ENTRIES[1], standing="rejected", allowed_until=None), *ENTRIES[2:])
LONGER = (*ENTRIES, entry(7, REVOKED, "authorized", until=NOW))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": REWRITTEN, "known": 4},
        {"rows": ENTRIES[:2], "known": 0},
        {"rows": LONGER, "known": 4, "proof": []},
        {"rows": LONGER, "known": 4, "pages": [[]]},
        {"rows": LONGER, "known": 4, "pages": [[*ENTRIES[4:], LONGER[-1]], []], "head": signed(head_of(REWRITTEN))},
        {"rows": LONGER, "known": 4, "pages": [[*LONGER[5:], LONGER[4]]]},
        {"rows": LONGER, "known": 4, "head": signed(head_of(LONGER), key=OTHER_KEY)},
    ],
    ids=["rewritten", "shortened", "unproved", "withheld", "another head", "shuffled", "a stranger"],
)
def test_a_dishonest_server_changes_nothing(desk, tmp_path, wrong):
    path = written(tmp_path, ENTRIES[:4])
    before = path.read_bytes()
    serve(desk, wrong.pop("rows"), **wrong)
    with pytest.raises(Refused):
        pull(path, server=desk.server, keys=[PUBLIC])
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["feed.json", "key.pem"]


@pytest.mark.parametrize("proof", [None, "x", [5], ["zz" * 32], ["ab"]])
def test_a_proof_of_another_form_is_refused(desk, tmp_path, proof):
    path = written(tmp_path, ENTRIES[:4])
    desk.answers["GET", "/base/api/v1/feed/head/"] = (200, {"head": signed(), "consistency": proof})
    with pytest.raises(Refused, match="no consistency proof"):
        pull(path, server=desk.server, keys=[PUBLIC])


@pytest.mark.parametrize("position", range(1, 7))
def test_an_entry_is_proved(desk, position):
    path = merkle.inclusion_proof(position - 1, 6, nodes_of(ENTRIES))
    answer = {
        "entry": asdict(ENTRIES[position - 1]),
        "head": signed(),
        "inclusion": [each.hex() for each in path],
    }
    desk.answers["GET", f"/base/api/v1/feed/entries/{position}/"] = (200, answer)
    assert prove(position, server=desk.server, keys=[PUBLIC]) == (ENTRIES[position - 1], head_of())
    for wrong in (
        {"entry": asdict(ENTRIES[position % 6])},
        {"entry": asdict(replace(ENTRIES[position - 1], standing="suspended"))},
        {"inclusion": [*answer["inclusion"], "0" * 64]},
        {"head": signed(head_of(ENTRIES[:-1]))},
    ):
        desk.answers["GET", f"/base/api/v1/feed/entries/{position}/"] = (200, answer | wrong)
        with pytest.raises(Refused, match="did not prove"):
            prove(position, server=desk.server, keys=[PUBLIC])
