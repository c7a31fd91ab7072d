"""Pure rules of the rulebook: facts, policy, checklists, money, ledger, quarters, attestation."""
