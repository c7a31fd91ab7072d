"""Two quarters of a small generated company around the real model of the demo, ending in the quarterly packet.

Everything here but that one model is made up, says so, and has a known truth that the demo checks itself against.
"""
