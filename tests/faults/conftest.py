"""What these tests share: the shop's agent of the chat's tests."""

from __future__ import annotations

from tests.chat.conftest import agent

__all__ = ["agent"]
