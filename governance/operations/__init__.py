"""What operators see: health, metrics, integrations, the trail, backups."""
