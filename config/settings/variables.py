"""The environment variables. `docs/reference/settings.md` is generated from them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One environment variable with its type, its default and its meaning."""

    name: str
    kind: str
    default: str
    meaning: str


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "WEIGHBRIDGE_VAR", "folder", "var", "Folder of run-time files: database, broker, artifacts, keys, packets."
    ),
    Variable("WEIGHBRIDGE_DEBUG", "yes/no", "no", "Shows Django's debug pages. Never use it in production."),
    Variable(
        "WEIGHBRIDGE_SECRET_KEY",
        "secret",
        "created under var/keys",
        "Django's secret key, 50 random characters or more. Production must set it.",
    ),
    Variable(
        "WEIGHBRIDGE_SIGNING_KEY",
        "file",
        "created under var/keys",
        "Ed25519 private key (PEM) that signs authorizations.",
    ),
    Variable(
        "WEIGHBRIDGE_HOSTS", "names, comma separated", "localhost,127.0.0.1", "Host names that the application accepts."
    ),
    Variable(
        "WEIGHBRIDGE_BASE_URL",
        "URL",
        "http://127.0.0.1:8000",
        "Public URL of the application; used in tickets and packets.",
    ),
    Variable(
        "WEIGHBRIDGE_REQUIRE_MFA",
        "yes/no",
        "no",
        "People who approve, spend or administer need a second factor and must confirm each vote with it.",
    ),
    Variable(
        "WEIGHBRIDGE_PROXIES",
        "whole number",
        "0",
        "Number of reverse proxies in front of the web process; with 0, X-Forwarded-For is ignored. "
        "Production must set it.",
    ),
    Variable("WEIGHBRIDGE_UPLOAD_MB", "whole number", "2048", "Largest model file accepted, in MB."),
    Variable(
        "WEIGHBRIDGE_INSTANCE",
        "short name",
        "wb",
        "Name of this installation in Jira labels; use different names for test and production.",
    ),
    Variable(
        "WEIGHBRIDGE_FEED_HEAD_S",
        "seconds",
        "3600",
        "How long a signed head of the feed is valid: the longest time for which a gate without a connection to the "
        "server may still allow what was revoked.",
    ),
    Variable(
        "WEIGHBRIDGE_GATE_KEEPS_MS",
        "milliseconds",
        "50",
        "For how long a web process answers the gate from what it read before (the head of the feed, tokens, roles): "
        "the longest time for which the server may still allow what was revoked. With 0 it reads each time.",
    ),
    Variable(
        "WEIGHBRIDGE_LEASE_S",
        "seconds",
        "20",
        "Time without a sign of life after which the job of a worker goes to another worker; a working one renews it.",
    ),
    Variable(
        "WEIGHBRIDGE_EFFECT_LEASE_S",
        "seconds",
        "30",
        "The same for one external call, such as opening a ticket.",
    ),
    Variable(
        "WEIGHBRIDGE_REMIND_DAYS",
        "whole numbers, comma separated",
        "3,1",
        "How many working days before something lapses the people who can act are reminded.",
    ),
    Variable(
        "WEIGHBRIDGE_ESCALATE_PERCENT",
        "whole number",
        "75",
        "After how many percent of the time of a request, without any action, platform leads are told.",
    ),
    Variable(
        "WEIGHBRIDGE_API_WRITES",
        "whole number",
        "120",
        "API calls that change something, for each person, minute and web process; more are answered 429.",
    ),
    Variable(
        "WEIGHBRIDGE_API_READS",
        "whole number",
        "3000",
        "The same for API calls that read, the questions of gates among them.",
    ),
    Variable(
        "WEIGHBRIDGE_STATEMENT_S",
        "seconds",
        "20",
        "Maximum duration of one database statement of a page or an API call; a page that waits longer answers 503.",
    ),
    Variable(
        "WEIGHBRIDGE_BENCH_PASSWORD",
        "secret",
        "none: no such role",
        "Password of the database role weighbridge_bench, which manage.py bench_role creates for benchmark workers.",
    ),
    Variable(
        "WEIGHBRIDGE_UNREQUESTED_USD",
        "whole number",
        "1000",
        "US dollars in a quarter from which on billed GPUs of one resource that nobody asked for are a finding.",
    ),
    Variable(
        "WEIGHBRIDGE_UNREQUESTED_GPU_H",
        "whole number",
        "500",
        "The same in GPU hours, for clusters whose accounting has no costs; whichever is reached first.",
    ),
    Variable("WEIGHBRIDGE_RUN_WALL_S", "seconds", "900", "Maximum duration of one benchmark run."),
    Variable(
        "WEIGHBRIDGE_BILLS_FOLDER",
        "folder",
        "none: no folder is watched",
        "Folder from which bills in the FOCUS format are ingested once a file is unchanged for a minute.",
    ),
    Variable(
        "WEIGHBRIDGE_LOAD_TARGETS",
        "HOST or HOST=NETWORK, comma separated",
        "none: no load tests",
        "Hosts that load tests may call; NETWORK is a private network that HOST may resolve to.",
    ),
    Variable(
        "WEIGHBRIDGE_RUN_MEMORY_MB", "whole number", "4096", "Maximum address space of a benchmarked model, in MB."
    ),
    Variable(
        "DATABASE_URL",
        "URL",
        "PostgreSQL 18 under var/postgres",
        "postgresql://user:password@host:5432/name; PostgreSQL 15 or later.",
    ),
    Variable(
        "BROKER_URL",
        "URL",
        "files under var/broker",
        "Celery broker: redis://… or amqp://…; unset uses the filesystem transport.",
    ),
    Variable(
        "JIRA_URL", "URL", "none: tickets stay queued", "Base URL of Jira, for example https://example.atlassian.net."
    ),
    Variable("JIRA_EMAIL", "text", "", "Account that opens the tickets."),
    Variable("JIRA_TOKEN", "secret", "", "API token of that account."),
    Variable("JIRA_PROJECT", "key", "MR", "Key of the project for tickets."),
    Variable("JIRA_ISSUE_TYPE", "name", "Task", "Issue type of tickets."),
    Variable(
        "JIRA_FIELDS", "JSON object", "{}", "Additional fields for new tickets, for example required custom fields."
    ),
    Variable(
        "JIRA_STATUSES",
        "JSON object",
        '{"evidence": "In Progress", …}',
        "Jira status for each state of a request.",
    ),
    Variable(
        "JIRA_SETTLE_S",
        "seconds",
        "45",
        "How long Jira's search may lag; the wait before searching for a ticket whose creation is uncertain.",
    ),
    Variable(
        "JIRA_WEBHOOK_SECRETS",
        "secret",
        "none: deliveries are refused",
        "Secrets of Jira's webhook, comma separated; during a rotation, list the old and the new one.",
    ),
    Variable(
        "JIRA_MOVES",
        "JSON object",
        """{"Won't Do": "withdraw", "In Progress": "acknowledge", …}""",
        "Meaning of a move to a status in Jira: withdraw, acknowledge, or none.",
    ),
    Variable(
        "JIRA_NIGHTLY",
        "pull, push, report or never",
        "pull",
        "How the nightly comparison of all tickets handles a difference.",
    ),
    Variable("OIDC_SERVER_URL", "URL", "none: local accounts", "Issuer URL of the OpenID Connect provider for log-in."),
    Variable("OIDC_CLIENT_ID", "text", "", "Client identifier at that provider."),
    Variable("OIDC_CLIENT_SECRET", "secret", "", "Client secret at that provider."),
    Variable("OIDC_NAME", "text", "Single sign-on", "Label of the log-in button."),
    Variable("WEIGHBRIDGE_SESSION_IDLE_MIN", "number", "480", "Minutes without activity after which a session ends."),
    Variable(
        "WEIGHBRIDGE_SESSION_MAX_H",
        "number",
        "168",
        "Hours after log-in after which a session ends, even with activity.",
    ),
    Variable(
        "EMAIL_URL",
        "URL",
        "printed to the console",
        "smtp://user:password@host:25; enables mail, such as notifications about changed log-in methods.",
    ),
)
