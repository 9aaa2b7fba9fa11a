"""The settings of the bare view: no middleware, and nothing else to route."""

from cxhub.settings import *  # noqa: F403
from cxhub.settings import INSTALLED_APPS as ALL

MIDDLEWARE = []
ROOT_URLCONF = "tests.bench.bare"
# It insists on a middleware of its own.
INSTALLED_APPS = [one for one in ALL if not one.startswith("allauth")]
