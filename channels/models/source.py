"""One connected bot, number, mailbox, PBX or pushing system."""

import secrets
from typing import Any, Literal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from customers import blocklist
from customers.sql import cursor

SLUG = r"[a-z0-9][a-z0-9_-]{0,62}"


def new_key() -> str:
    return secrets.token_urlsafe(18)


class Source(models.Model):
    """Its `id` names lines and never changes; its `key` stands in the URL and can be rotated."""

    provider = models.TextField()
    slug = models.CharField(max_length=63, unique=True, validators=[RegexValidator(rf"^{SLUG}\Z")])
    key = models.CharField(max_length=64, unique=True, default=new_key)
    region = models.CharField(
        max_length=2, default="", blank=True, help_text="ISO 3166 code, for national phone numbers."
    )
    trust = models.CharField(
        max_length=8,
        default="asserted",
        choices=[(word, word) for word in ("claimed", "asserted", "verified")],
        help_text="The most that this source may say of a handle.",
    )
    addresses = ArrayField(models.TextField(), default=list, blank=True, help_text="Own numbers and addresses.")
    secrets = models.JSONField(default=dict, blank=True)
    revisions = models.CharField(max_length=8, default="", blank=True, help_text="integer or time, as first pushed.")
    created_at = models.DateTimeField(auto_now_add=True)
    refused = models.BigIntegerField(default=0, help_text="Deliveries with a bad signature.")

    def __str__(self) -> str:
        return self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Its own numbers and addresses are no customers'."""
        super().save(*args, **kwargs)
        blocklist.own(self.pk, self.addresses, self.region)

    @classmethod
    def having(cls, column: Literal["slug", "key"], value: str) -> "Source | None":
        """The source with this slug or key: asked by every request that brings something, so not by way of the ORM."""
        names = [field.attname for field in cls._meta.concrete_fields]
        statement = f"SELECT {', '.join(names)} FROM channels_source WHERE {column} = %s"
        with cursor() as sql:
            sql.execute(statement.encode(), (value,), prepare=True)
            row = sql.fetchone()
        return None if row is None else cls.from_db("default", names, row)

    @property
    def hook_url(self) -> str:
        """What providers are told, and what they sign: never taken from a request."""
        return f"{settings.CXHUB_PUBLIC_URL}/hooks/{self.provider}/{self.key}"
