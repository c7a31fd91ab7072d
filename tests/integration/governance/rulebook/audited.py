"""How to call every write of the rulebook, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

import yaml

from governance.people.approvals import actions as approvals
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.actions import publication
from governance.rulebook.domain import defaults
from governance.rulebook.domain.metric_catalogs import catalog_document
from governance.rulebook.models import PolicyVersion
from tests.factories import kinds
from tests.factories.changes import publish
from tests.factories.people import Cast
from weighbridge.core.metrics.standard import STANDARD

WHY = "Other policies judge such requests."
Call = Callable[[Cast, datetime], object]


def drafted(cast: Cast, now: datetime) -> PolicyVersion:
    return rulebook.draft_policy(source=defaults.text_of(defaults.POLICY), by=cast.approver, now=now)


def _publish(cast: Cast, now: datetime) -> None:
    publish(version=drafted(cast, now), cast=cast, now=now)


def _retire(cast: Cast, now: datetime) -> None:
    versions = kinds.publish_shipped(now=now)
    change = publication.propose_retirement(version=versions["detection"], reason=WHY, by=cast.approver, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.rulebook.actions.publication.propose_publication": _publish,
    "governance.rulebook.actions.publication.propose_retirement": _retire,
    "governance.rulebook.actions.documents.retire": _retire,
    "governance.rulebook.actions.documents.draft_policy": _publish,
    "governance.rulebook.actions.documents.draft_checklist": lambda cast, now: rulebook.draft_checklist(
        source=defaults.text_of(defaults.CHECKLIST), by=cast.admin, now=now
    ),
    "governance.rulebook.actions.documents.draft_catalog": lambda cast, now: rulebook.draft_catalog(
        source=yaml.safe_dump(catalog_document(STANDARD)), by=cast.admin, now=now
    ),
    "governance.rulebook.actions.documents.publish": _publish,
}
