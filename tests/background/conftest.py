"""What these tests share: the shop's agent of the chat's tests, and a hosted model of their own."""

from __future__ import annotations

from tests.chat.conftest import agent
from tests.improve.hosted import says

__all__ = ["agent", "says"]
