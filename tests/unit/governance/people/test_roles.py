import pytest

from governance.people.domain.roles import Person, Role


def test_the_eight_roles_each_have_a_paragraph_of_their_own():
    assert [role.value for role in Role] == [
        "requester",
        "reviewer",
        "platform_lead",
        "product_lead",
        "finance",
        "data_steward",
        "admin",
        "auditor",
    ]
    assert all(len(role.description.split()) > 20 for role in Role)
    assert len({role.description for role in Role}) == 8


def test_label_reads_like_words():
    assert Role.PLATFORM_LEAD.label == "Platform lead"


@pytest.mark.parametrize(
    ("roles", "is_active", "expected"),
    [
        ({Role.REVIEWER}, True, True),
        ({Role.REVIEWER}, False, False),
        ({Role.FINANCE}, True, False),
        (set(), True, False),
    ],
)
def test_only_active_people_hold_roles(roles, is_active, expected):
    person = Person(1, "ada", "Ada", roles=frozenset(roles), is_active=is_active)
    assert person.has_role(Role.REVIEWER) is expected
