"""The pages of which pictures are made, by the person who uses them."""

from examples.recorded.screenshots.pages.administration import ADMINISTRATION
from examples.recorded.screenshots.pages.everybody import EVERYBODY
from examples.recorded.screenshots.pages.finance import FINANCE
from examples.recorded.screenshots.pages.lead import LEAD
from examples.recorded.screenshots.pages.requester import REQUESTER
from examples.recorded.screenshots.pages.reviewer import REVIEWER

GROUPS = (REQUESTER, REVIEWER, LEAD, FINANCE, ADMINISTRATION, EVERYBODY)
"""In the order of the document."""
