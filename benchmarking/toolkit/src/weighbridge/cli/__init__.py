"""The commands of `weighbridge`, one module each. They translate; the toolkit measures and decides."""
