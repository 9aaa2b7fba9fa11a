"""What a page could cost at least: a bare Django view that sends it as JSON made by one prepared statement."""

from uuid import UUID

import psycopg
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

from customers.timeline import ENTRY
from cxhub.health import healthz

PAGE = f"""
SELECT coalesce(json_agg({ENTRY.replace("i.", "page.")} ORDER BY t.sorted_at DESC, t.rank DESC, t.id DESC), '[]')::text
  FROM (SELECT k.id, i.kind, i.value
          FROM customers_customer c JOIN customers_identity i ON i.customer_id = c.id
         CROSS JOIN LATERAL (SELECT sorted_at, rank, id FROM customers_interaction
                              WHERE identity_id = i.id ORDER BY sorted_at DESC, rank DESC, id DESC LIMIT 50) k
         WHERE c.public_id = %s ORDER BY k.sorted_at DESC, k.rank DESC, k.id DESC LIMIT 50) page
  JOIN customers_interaction t ON t.id = page.id
""".encode()


def page(request: HttpRequest, customer: UUID) -> HttpResponse:
    connection = connections["reading"]
    connection.ensure_connection()
    # Not connection.connection.execute: Django's own cursors never prepare.
    row = psycopg.Cursor(connection.connection).execute(PAGE, (customer,), prepare=True).fetchone()
    assert row is not None
    body = f'{{"results": {row[0]}}}'.encode()
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


urlpatterns = [path("healthz", healthz), path("page/<uuid:customer>", page)]
