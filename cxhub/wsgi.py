"""The WSGI entry point that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from customers import figures

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cxhub.settings")

application = get_wsgi_application()
figures.keep_flushing()
