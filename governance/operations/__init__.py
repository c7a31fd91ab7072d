"""Tools for operators: health, metrics, integrations, the audit trail, backups."""
