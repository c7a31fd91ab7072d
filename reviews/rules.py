"""Who may do what to a review: predicates that raise or answer."""
