"""Pure rules of voting."""
