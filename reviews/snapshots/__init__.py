"""A request read once, and what is a function of that: the guard of each step, the frozen bundle."""
