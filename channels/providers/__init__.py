"""The explicit list of providers."""

from channels.provider import Provider
from channels.providers.push import Push

PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in (Push(),)}
