"""What keeps an installation running: probes, metrics, log lines, the banner, back-ups, upgrades, containers."""
