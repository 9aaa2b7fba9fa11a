"""Making a source: checked against what its provider needs, with the secrets that we make ourselves."""

import secrets as random
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction

from channels.draining import info_of
from channels.models import Source
from channels.providers import PROVIDERS
from customers.identification import see_region


class BadSource(ValueError):
    """`field` names what is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


def make_source(
    provider: str,
    slug: str,
    *,
    region: str = "",
    trust: str = "asserted",
    addresses: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
) -> Source:
    """A new source; raises BadSource for an unknown provider, a taken slug, or an unknown secret."""
    if provider not in PROVIDERS:
        raise BadSource("provider", f"There is no provider «{provider}»; there are {', '.join(sorted(PROVIDERS))}.")
    wanted = {secret.name: secret for secret in PROVIDERS[provider].secrets}
    given = dict(secrets or {})
    for name in given:
        if name not in wanted:
            raise BadSource(
                f"secrets.{name}", f"{provider} has no secret «{name}»; it has {', '.join(wanted) or 'none'}."
            )
    for secret in wanted.values():
        if secret.generated and not given.get(secret.name):
            given[secret.name] = random.token_urlsafe(32)
    try:
        with transaction.atomic():
            source = Source.objects.create(
                provider=provider, slug=slug, region=region, trust=trust, addresses=list(addresses), secrets=given
            )
            see_region(region)
    except IntegrityError as error:
        raise BadSource("slug", f"There is a source «{slug}» already.") from error
    return source


def paste_of(source: Source) -> str:
    """What a person enters at the provider."""
    return PROVIDERS[source.provider].paste(info_of(source))
