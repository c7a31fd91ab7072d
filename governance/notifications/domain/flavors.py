"""What a webhook understands."""

from enum import StrEnum


class WebhookFlavor(StrEnum):
    """Messages of Slack or of Microsoft Teams, or signed events."""

    SLACK = "slack"
    TEAMS = "teams"
    SIGNED = "signed"

    @property
    def label(self) -> str:
        """The name on pages."""
        return {"slack": "Slack", "teams": "Microsoft Teams", "signed": "Signed events"}[self]
