"""The settings of the bare view: no middleware, and nothing else to route."""

from cxhub.settings import *  # noqa: F403

MIDDLEWARE = []
ROOT_URLCONF = "tests.bench.bare"
