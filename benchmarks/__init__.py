"""Measurements: each is one command, `make bench-NAME`, whose last line is one JSON object."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")
