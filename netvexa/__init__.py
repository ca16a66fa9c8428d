"""NETVEXA: AI customer-support agents that answer from your knowledge only."""

import os

# Read when numpy is loaded. Its matrices are small here, and threads that wait for the next one spin meanwhile: they
# cost a quarter of the web server's processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
