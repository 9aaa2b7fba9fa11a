"""What the OpenAPI schema says beyond the views: how one signs in, and what the ids in paths look like."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

UUIDS = frozenset({"customer", "receipt", "attachment"})


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer <key>`"""

    target_class = "customers.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The key of an integration."}


class AgentScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of an agent who signed in."""

    target_class = "customers.api.authentication.AgentAuthentication"
    name = "agent"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        described = "The session of /login/; what changes something needs the CSRF token in X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": described}


def described(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """A hook of drf-spectacular: operations go by their subject; ids in paths are UUIDs (all else is a 404)."""
    for address, path in result["paths"].items():
        for operation in path.values():
            operation["tags"] = [address.removeprefix("/api/v1/").partition("/")[0]]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in UUIDS:
                    parameter["schema"] = {"type": "string", "format": "uuid"}
    return result
