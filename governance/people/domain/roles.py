"""The eight roles, and the person that the permission rules use. `rules.py` of a subject says what a role may do."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """A role of a person. A person may have several roles, but may not use two of them on the same request."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    PLATFORM_LEAD = "platform_lead"
    PRODUCT_LEAD = "product_lead"
    FINANCE = "finance"
    DATA_STEWARD = "data_steward"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def description(self) -> str:
        """The purpose and the limits of the role, as a paragraph."""
        return _DESCRIPTIONS[self]

    @property
    def label(self) -> str:
        """The role as shown on pages."""
        return self.value.replace("_", " ").capitalize()

    @property
    def holder(self) -> str:
        """Somebody with the role, in a sentence."""
        return _HOLDERS[self]


# Roles that judge, spend or administer. Granting one takes two people.
BINDING = frozenset({Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE, Role.DATA_STEWARD, Role.ADMIN})

_HOLDERS = {
    Role.REQUESTER: "a requester",
    Role.REVIEWER: "a reviewer",
    Role.PLATFORM_LEAD: "a platform lead",
    Role.PRODUCT_LEAD: "a product lead",
    Role.FINANCE: "finance",
    Role.DATA_STEWARD: "a data steward",
    Role.ADMIN: "an administrator",
    Role.AUDITOR: "an auditor",
}
_DESCRIPTIONS = {
    Role.REQUESTER: (
        "Files model review requests for their own teams: names the model version, declares what it costs and what it "
        "must gain, answers the checklist, sends the request to review and may withdraw it. Sees the requests of "
        "their teams. Never votes on a request they filed, own, or gathered the evidence for."
    ),
    Role.REVIEWER: (
        "Judges requests of every team on their evidence: reads claimed beside measured, votes to approve, to reject "
        "or to ask for changes, each with a rationale. Votes once per revision and stage, and only on work that is "
        "not their own."
    ),
    Role.PLATFORM_LEAD: (
        "Answers for the shared accelerators: approves the GPU budget of a request as its last stage, allocates "
        "GPU hours and money to team accounts, suspends or revokes authorizations, and drafts and proposes policy. "
        "Approves nothing that they filed, own or measured themselves."
    ),
    Role.PRODUCT_LEAD: (
        "Answers for what models gain the business: supplies and questions the figures of the scorecard, attends the "
        "quarterly review for the product side, and takes decisions there on models that are not their own. Without "
        "one of them present the quarterly review has no quorum and decides nothing."
    ),
    Role.FINANCE: (
        "Answers for the money: allocates budget to team accounts each quarter, reads every cost projection and "
        "every ledger entry, and votes in a stage where the policy asks for finance. Money for a team they belong to "
        "takes a second person. Changes no request and no evidence."
    ),
    Role.DATA_STEWARD: (
        "Answers for the evaluation data: confirms the evaluation sets that other teams propose, registers sets for "
        "everybody, and retires them. Quality counts as measured only on a set that a data steward from outside the "
        "team of the request has governed. Reads the requests of every team, and votes in a stage where the policy "
        "asks for data stewards."
    ),
    Role.ADMIN: (
        "Keeps the system working: people, roles, teams, policy and checklist versions, dead jobs and undelivered "
        "messages. Confirms what another proposed, never their own proposal. Holds no vote through this role, cannot "
        "edit votes, decisions, evidence or the audit trail, and every action is on the record like anybody's."
    ),
    Role.AUDITOR: (
        "Reads everything: every request, vote, figure, ledger entry, policy version and audit event, and checks the "
        "chain of the audit trail. Changes nothing at all."
    ),
}


@dataclass(frozen=True)
class Person:
    """A user for the permission rules; `teams` are team slugs."""

    id: int
    username: str
    name: str = ""
    roles: frozenset[Role] = field(default_factory=frozenset)
    teams: frozenset[str] = field(default_factory=frozenset)
    is_active: bool = True

    def has_role(self, role: Role) -> bool:
        """True if the person is active and has the role."""
        return self.is_active and role in self.roles
