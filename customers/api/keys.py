"""Keys of integrations: issued here, by `manage.py key add`, or in the admin."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from customers.access import issue_key
from customers.api import shapes
from customers.api.authentication import Whole, needs
from customers.api.query import Query
from customers.api.views import View, body_of, json_response


class KeysView(View):
    permission_classes = [needs("admin"), Whole]

    @extend_schema(
        operation_id="keys_issue", request=shapes.NewKey, responses=shapes.responses(shapes.IssuedKey, status=201)
    )
    def post(self, request: Request) -> HttpResponse:
        """A new key; this is the only time that it is shown."""
        Query(request.query_params)
        wanted = shapes.validated(shapes.NewKey, body_of(request))
        key, plain = issue_key(
            wanted.name,
            wanted.scopes,
            source=wanted.source,
            sources=wanted.sources,
            expires_at=wanted.expires_at,
            created_by=self.principal(request).viewer,
        )
        issued = {
            "id": str(key.pk),
            "name": key.name,
            "key": plain,
            "prefix": key.prefix,
            "scopes": key.scopes,
            "source": key.source,
            "sources": key.sources,
            "expires_at": key.expires_at,
        }
        return json_response(issued, status=201)
