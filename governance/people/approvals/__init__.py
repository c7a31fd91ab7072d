"""Changes that one person proposes and another confirms."""
