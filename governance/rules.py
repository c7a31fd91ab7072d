"""Who may do what on the ground floor: predicates that raise or answer."""
