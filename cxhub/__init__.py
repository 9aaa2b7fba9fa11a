"""The project: settings, urls, Celery, embedded servers. Wiring only."""

from cxhub.celery import app as celery_app

__all__ = ["celery_app"]
