"""Read-mostly Django admin; business actions are never taken here."""
