"""The keys whose results a policy trusts."""

import pytest

from tests.unit.governance.rulebook.builders import policy
from weighbridge.core import attestation
from weighbridge.core.errors import Invalid

PUBLIC = attestation.public_pem(attestation.new_key_pem())
KEY = {"name": "cluster", "kind": "cluster", "public_key": PUBLIC}


def trust(*keys, **fields):
    return policy(trust={"keys": list(keys), **fields}).trust


def test_keys_are_found_by_their_digest():
    (key,) = trust(KEY, audit_share=0.1).keys
    assert (key.name, key.kind, key.id) == ("cluster", "cluster", attestation.key_id(PUBLIC))


def test_without_the_section_no_key_is_trusted():
    assert policy().trust.keys == ()


@pytest.mark.parametrize(
    ("keys", "fields", "field", "words"),
    [
        ([KEY | {"name": f"k{number}"} for number in range(101)], {}, "trust.keys", "more than"),
        ([KEY, KEY | {"public_key": PUBLIC + "\n"}], {}, "trust.keys", "name"),
        ([KEY, KEY | {"name": "second"}], {}, "trust.keys", "public_key"),
        ([KEY], {"audit_share": 1.5}, "trust.audit_share", "must be a share from 0 to 1"),
        ([KEY], {"audit_share": -0.1}, "trust.audit_share", "must be a share from 0 to 1"),
        ([KEY | {"public_key": "junk"}], {}, "trust.keys[0].public_key", "is not usable"),
        ([KEY | {"kind": "friend"}], {}, "trust.keys[0].kind", "cluster"),
    ],
)
def test_a_faulty_section_is_refused_with_its_path(keys, fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        trust(*keys, **fields)
    assert refusal.value.field.startswith(field)
