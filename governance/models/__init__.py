"""Tables of the ground floor and the constraints the database holds."""

from governance.models.allocation import AllocationRule, AllocationVersion
from governance.models.audit import AuditEvent
from governance.models.bills import Bill, BillSlice, ExchangeRate, SpendLine
from governance.models.budget_changes import BudgetChange
from governance.models.budgets import BudgetAccount, CostCentre, LedgerEntry
from governance.models.changes import RuleChange
from governance.models.checkpoints import Checkpoint
from governance.models.effects import AnsweredPost, OutboxMessage
from governance.models.findings import Finding
from governance.models.inventory import ModelAsset, ModelVersion
from governance.models.leases import Leased
from governance.models.operation import Pulse
from governance.models.people import ApiToken, RoleGrant, Team
from governance.models.rulebook import ChecklistVersion, PolicyVersion

__all__ = [
    "AllocationRule",
    "AllocationVersion",
    "AnsweredPost",
    "ApiToken",
    "AuditEvent",
    "Bill",
    "BillSlice",
    "BudgetAccount",
    "BudgetChange",
    "ChecklistVersion",
    "Checkpoint",
    "CostCentre",
    "ExchangeRate",
    "Finding",
    "Leased",
    "LedgerEntry",
    "ModelAsset",
    "ModelVersion",
    "OutboxMessage",
    "PolicyVersion",
    "Pulse",
    "RoleGrant",
    "RuleChange",
    "SpendLine",
    "Team",
]
