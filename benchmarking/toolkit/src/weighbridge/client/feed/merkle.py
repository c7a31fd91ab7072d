"""The Merkle tree of the feed, hashed as in RFC 6962: leaves with the prefix 0x00, nodes with the prefix 0x01.

A tree is read through `Nodes`: the hash of the complete subtree `index` of `2**level` leaves. A complete subtree never
changes, so it can be stored. Leaves are counted from 0; hashes have 32 bytes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

Nodes = Callable[[int, int], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children."""
    return hashlib.sha256(b"\1" + left + right).digest()


def appended(index: int, leaf: bytes, nodes: Nodes) -> tuple[tuple[bytes, ...], bytes]:
    """Append the leaf `index`: return the subtrees that it completes, from level 0 up, and the new root.

    Reads only subtrees of the earlier leaves.
    """
    complete, top = [leaf], leaf
    for level in range(index.bit_length()):
        if index >> level & 1:
            top = node_hash(nodes(level, (index >> level) - 1), top)
            if level == len(complete) - 1:
                complete.append(top)
    return tuple(complete), top


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the tree of these leaf hashes."""
    complete: list[tuple[int, bytes]] = []
    for leaf in leaves:
        level, top = 0, leaf
        while complete and complete[-1][0] == level:
            level, top = level + 1, node_hash(complete.pop()[1], top)
        complete.append((level, top))
    if not complete:
        return EMPTY_ROOT
    _, root = complete.pop()
    while complete:
        root = node_hash(complete.pop()[1], root)
    return root


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return the proof that leaf `index` is in the tree of the first `size` leaves; 0 <= index < size."""
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return the proof that the tree of `old` leaves is a prefix of the tree of `size` leaves; 0 <= old <= size."""
    if old in {0, size}:
        return ()
    start, end, is_whole, path = 0, size, True, list[bytes]()
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_subtree(start, end, nodes))
    return tuple(reversed(path))


def is_included(leaf: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that the leaf hash has place `index` in the tree with `size` leaves and this root."""
    if not 0 <= index < size:
        return False
    place, last, top = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            top = node_hash(sibling, top)
            place, last = _up_to_right_child(place, last)
        else:
            top = node_hash(top, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and top == root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, *, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `old` leaves with `old_root` is a prefix of the other tree."""
    if old in {0, size}:
        return not proof and old_root == (EMPTY_ROOT if old == 0 else root)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not 0 < old < size or not path:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_top = top = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old_top, top = node_hash(sibling, old_top), node_hash(sibling, top)
            place, last = _up_to_right_child(place, last)
        else:
            top = node_hash(top, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old_top == old_root and top == root


def _up_to_right_child(place: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the last subtree has no sibling."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(start: int, end: int, nodes: Nodes) -> bytes:
    """Return the hash of the leaves from `start` to `end`, which form one subtree of the tree."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(size)
    return node_hash(_subtree(start, middle, nodes), _subtree(middle, end, nodes))
