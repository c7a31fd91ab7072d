"""Cost projections: calculated, kept, compared."""
