"""The Celery application: a task only says «there is work», PostgreSQL holds the work itself."""

import logging.config
import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")

app = Celery("cxhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def log_as_everybody(**_: Any) -> None:
    """Celery then leaves the log alone."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@signals.worker_process_init.connect
def count(**_: Any) -> None:
    from customers import figures

    figures.keep_flushing()
