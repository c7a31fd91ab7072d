"""Budget accounts on a tree of cost centers, and their ledger."""
