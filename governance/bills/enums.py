"""Closed vocabularies stored in the database; changing one needs a migration."""

from django.db.models import TextChoices


class BillKind(TextChoices):
    """The kind of a bill file."""

    FOCUS = "focus", "Bill in the FOCUS format"
    SLURM = "slurm", "Accounting of Slurm (sacct)"
    KUBERNETES = "kubernetes", "GPU use of a Kubernetes cluster"
    OPENAI = "openai", "Usage and costs of OpenAI"
    ANTHROPIC = "anthropic", "Usage and costs of Anthropic"
    LITELLM = "litellm", "Spend logs of LiteLLM"
    OPENCOST = "opencost", "Inference costs of OpenCost"


class BillOrigin(TextChoices):
    """How a bill was received."""

    UPLOAD = "upload", "uploaded"
    FOLDER = "folder", "watched folder"
    COMMAND = "command", "command line"
    API = "api", "API"
    GENERATED = "generated", "generated"
