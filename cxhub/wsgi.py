"""The WSGI entry point that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from customers import figures

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")

application = get_wsgi_application()
# Imports all views now: else the first request waits for that, a second of a processor's time.
URLS = get_resolver().url_patterns
figures.keep_flushing()
# What is loaded now stays: it is not looked at again. Half of what a page makes is gone before it is worth a look.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
