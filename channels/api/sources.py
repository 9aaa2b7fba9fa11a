"""Sources over the API, for set-up scripts."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from channels.api import shapes
from channels.sources import BadSource, make_source, paste_of
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.shapes import responses, validated
from customers.api.views import View, body_of, json_response


class SourcesView(View):
    permission_classes = [needs("admin")]

    @extend_schema(
        operation_id="sources_make", request=shapes.NewSource, responses=responses(shapes.MadeSource, 409, status=201)
    )
    def post(self, request: Request) -> HttpResponse:
        """Connect one bot, number, mailbox or pushing system."""
        Query(request.query_params)
        wanted = validated(shapes.NewSource, body_of(request))
        try:
            source = make_source(
                wanted.provider,
                wanted.slug,
                region=wanted.region,
                trust=wanted.trust,
                addresses=wanted.addresses,
                secrets=wanted.secrets,
            )
        except BadSource as error:
            raise Problem(
                "conflict" if error.field == "slug" else "invalid_value", str(error), field=error.field
            ) from None
        made = {"slug": source.slug, "key": source.key, "hook_url": source.hook_url, "paste": paste_of(source)}
        return json_response(made, status=201)
