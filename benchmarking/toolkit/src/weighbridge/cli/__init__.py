"""The commands of `weighbridge`, one module each. They parse options and print results; the toolkit does the rest."""
