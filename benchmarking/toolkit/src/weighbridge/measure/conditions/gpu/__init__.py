"""The graphics card of a run: which one it is, and its memory, clocks, throttling and energy by NVML."""
