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
    Variable(
        "WEIGHBRIDGE_ARTIFACTS",
        "address",
        "the folder artifacts in WEIGHBRIDGE_VAR",
        "Bucket of an object storage that keeps the artifacts: s3://bucket/folder?endpoint=https://…&region=…",
    ),
    Variable("AWS_ACCESS_KEY_ID", "secret", "the role of the machine", "Name of the access key of that bucket."),
    Variable("AWS_CA_BUNDLE", "file", "those of the system", "Certificates (PEM) by which that bucket is trusted."),
    Variable("AWS_SECRET_ACCESS_KEY", "secret", "the role of the machine", "The access key."),
    Variable("WEIGHBRIDGE_DEBUG", "yes/no", "no", "Shows Django's debug pages. Never use it in production."),
    Variable(
        "WEIGHBRIDGE_SECRET_KEY",
        "secret",
        "created under var/keys",
        "Django's secret key, 50 random characters or more. Production must set it.",
    ),
    Variable(
        "WEIGHBRIDGE_SECRET_KEY_FALLBACKS",
        "secret",
        "none",
        "Earlier secret keys, comma separated: what was encrypted or signed with them stays readable.",
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
        "Public URL of the application; used in tickets, packets, mail and webhooks.",
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
        "WEIGHBRIDGE_GATE_OUTAGE_S",
        "seconds",
        "60",
        "For how long a web process goes on answering the gate from its memory while the database does not answer: the "
        "longest time for which it may then still allow what was revoked. With 0 it answers 503 at once.",
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
        "WEIGHBRIDGE_WEBHOOK_NETWORKS",
        "HOST=NETWORK, comma separated",
        "none: public addresses only",
        "Private networks that the hosts of webhooks may resolve to, such as hooks.internal=10.0.0.0/8.",
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
        "Enables mail, such as notifications: smtp+tls://user:password@host:587 (STARTTLS), smtps:// with port 465 "
        "(TLS at once), or smtp:// without TLS.",
    ),
    Variable(
        "EMAIL_FROM",
        "address",
        "weighbridge@ the first of WEIGHBRIDGE_HOSTS",
        "The address that mail comes from.",
    ),
)
