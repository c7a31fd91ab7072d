"""The Merkle tree against the recursive definitions of RFC 6962, and against forged proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.client.feed import merkle

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(70)]
SIZES = st.integers(0, len(LEAVES))


def naive_root(leaves):
    """MTH of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def nodes(level, index):
    """A complete subtree of the leaves."""
    return naive_root(LEAVES[index << level : (index + 1) << level])


def test_leaves_and_nodes_are_hashed_apart():
    assert merkle.leaf_hash(b"") == bytes.fromhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    assert merkle.node_hash(b"a", b"b") == hashlib.sha256(b"\1ab").digest()
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(SIZES)
def test_the_root_is_that_of_the_definition(size):
    assert merkle.root_of(LEAVES[:size]) == naive_root(LEAVES[:size])


def test_appending_gives_each_root_from_stored_subtrees_alone():
    kept = {}

    def stored(level, index):
        return kept[(index + 1 << level) - 1][level]

    for index, leaf in enumerate(LEAVES):
        kept[index], root = merkle.appended(index, leaf, stored)
        assert root == naive_root(LEAVES[: index + 1])
        assert [stored(level, (index >> level)) for level in range(len(kept[index]))] == [
            nodes(level, index >> level) for level in range(len(kept[index]))
        ]


@given(st.data())
def test_an_inclusion_proof_shows_its_leaf_at_its_place_and_nothing_else(data):
    size = data.draw(st.integers(1, len(LEAVES)))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(-1, size))
    proof, root = merkle.inclusion_proof(index, size, nodes), naive_root(LEAVES[:size])
    assert merkle.is_included(LEAVES[index], index, size, proof=proof, root=root)
    assert merkle.is_included(LEAVES[index], other, size, proof=proof, root=root) is (other == index)
    assert not merkle.is_included(merkle.leaf_hash(b"forged"), index, size, proof=proof, root=root)
    assert not merkle.is_included(LEAVES[index], index, size, proof=(*proof, root), root=root)
    assert not merkle.is_included(LEAVES[index], index, size, proof=proof, root=naive_root(LEAVES[: size - 1]))
    if proof:
        assert not merkle.is_included(LEAVES[index], index, size, proof=proof[:-1], root=root)


@given(st.data())
def test_a_consistency_proof_shows_a_prefix_and_nothing_else(data):
    size = data.draw(SIZES)
    old = data.draw(st.integers(0, size))
    proof = merkle.consistency_proof(old, size, nodes)
    old_root, root = naive_root(LEAVES[:old]), naive_root(LEAVES[:size])
    assert merkle.is_consistent(old, old_root, size, root, proof=proof)
    assert not merkle.is_consistent(old, merkle.leaf_hash(b"forged"), size, root, proof=proof)
    assert not merkle.is_consistent(old, old_root, size, root, proof=(*proof, root))
    assert not merkle.is_consistent(size + 1, old_root, size, root, proof=proof)
    if old:
        assert not merkle.is_consistent(old, old_root, size, merkle.leaf_hash(b"forged"), proof=proof)
        rewritten = [merkle.leaf_hash(b"rewritten"), *LEAVES[1:size]]
        if proof:
            assert not merkle.is_consistent(old, old_root, size, naive_root(rewritten), proof=proof)
            assert not merkle.is_consistent(old, old_root, size, root, proof=proof[:-1])


@pytest.mark.parametrize(("old", "size"), [(3, 7), (4, 7), (6, 7), (1, 2)])
def test_an_empty_proof_of_growth_shows_nothing(old, size):
    assert not merkle.is_consistent(old, naive_root(LEAVES[:old]), size, naive_root(LEAVES[:size]), proof=())
