"""The WSGI entry point that granian serves: two chains of middleware over the same addresses."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from customers import figures
from cxhub.lean import ProgramsHandler, by_caller, of_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")

of_threads()
application = by_caller(get_wsgi_application(), ProgramsHandler())
# Imports all views now: else the first request waits for that, a second of a processor's time.
URLS = get_resolver().url_patterns
figures.keep_flushing()
