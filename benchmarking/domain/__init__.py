"""Pure rules about benchmark runs."""
