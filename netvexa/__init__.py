"""NETVEXA: AI customer-support agents that answer from your knowledge only."""

from netvexa.celery import app as celery_app

__all__ = ["celery_app"]
