"""The commands of `weighbridge`. They parse options and print results; the toolkit does the rest."""
