"""The foundation of requests: people, policies, budgets, the audit trail, jobs and effects outside the database."""
