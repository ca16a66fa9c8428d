"""Choosing what an agent's sources are written in."""

from __future__ import annotations

import pytest

