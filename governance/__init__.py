"""What every request stands on: people, policy, money, the audit trail, jobs and effects outside."""
