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
    given = with_secrets(provider, secrets or {})
    try:
        with transaction.atomic():
            source = Source.objects.create(
                provider=provider, slug=slug, region=region, trust=trust, addresses=list(addresses), secrets=given
            )
            see_region(region)
    except IntegrityError as error:
        raise BadSource("slug", f"There is a source «{slug}» already.") from error
    return source


def with_secrets(provider: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """The secrets with those that we make ourselves; raises BadSource for one that the provider does not know."""
    wanted = {secret.name: secret for secret in PROVIDERS[provider].secrets}
    for name in secrets:
        if name not in wanted:
            known = ", ".join(wanted) or "none"
            raise BadSource(f"secrets.{name}", f"{provider} has no secret «{name}»; it has {known}.")
    made = {
        name: random.token_urlsafe(32) for name, secret in wanted.items() if secret.generated and not secrets.get(name)
    }
    return {**secrets, **made}


def paste_of(source: Source) -> str:
    """What a person enters at the provider."""
    return PROVIDERS[source.provider].paste(info_of(source))
