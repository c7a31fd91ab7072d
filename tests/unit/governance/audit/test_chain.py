import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.domain.chain import GENESIS, Break, ChainLink, first_broken, link


def chain(*events):
    rows, previous = [], GENESIS
    for event in events:
        rows.append(ChainLink(event, previous, link(previous, event)))
        previous = rows[-1].hash
    return rows


def test_a_link_is_sha256_over_purpose_previous_and_event():
    expected = hashlib.sha256(b"weighbridge.audit/1\n" + GENESIS.encode() + b'\n{"kind":"x"}').hexdigest()
    assert link(GENESIS, {"kind": "x"}) == f"sha256:{expected}"


def test_a_whole_chain_holds():
    rows = chain({"n": 1}, {"n": 2}, {"n": 3})
    assert first_broken(rows) is None
    assert first_broken([]) is None


def test_changed_content_is_found_at_its_row():
    rows = chain({"n": 1}, {"n": 2}, {"n": 3})
    rows[1] = ChainLink({"n": 9}, rows[1].previous_hash, rows[1].hash)
    assert first_broken(rows) == Break(1, "does not match its own hash: its content was changed")


def test_a_row_rewritten_with_its_hash_is_found_at_the_next():
    rows = chain({"n": 1}, {"n": 2}, {"n": 3})
    rows[1] = ChainLink({"n": 9}, rows[1].previous_hash, link(rows[1].previous_hash, {"n": 9}))
    assert first_broken(rows) == Break(
        2, "does not match the hash of the row before it: a row is missing, added or out of order"
    )


@given(st.data())
def test_any_removal_or_swap_before_the_end_is_found(data):
    rows = chain(*({"n": number} for number in range(data.draw(st.integers(2, 8)))))
    at = data.draw(st.integers(0, len(rows) - 2))
    assert first_broken(rows[:at] + rows[at + 1 :]).index == at
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    assert first_broken(rows).index == at


@pytest.mark.parametrize("field", ["event", "previous_hash", "hash"])
def test_every_field_of_a_row_is_covered(field):
    from dataclasses import replace

    rows = chain({"n": 1}, {"n": 2})
    rows[0] = replace(rows[0], **{field: {"n": 7} if field == "event" else "sha256:" + "1" * 64})
    assert first_broken(rows).index == 0
