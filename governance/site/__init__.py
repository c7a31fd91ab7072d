"""What every page and every API answer shares."""
