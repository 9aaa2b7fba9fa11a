"""Sessions of agents, each with whose it is: the page that reads it learns that at once."""

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """As Django keeps them; `user_id` is said in the data, too, and that counts."""

    user_id = models.BigIntegerField(null=True)
