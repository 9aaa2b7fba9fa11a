"""Serves a stored file as a download, whole or in parts: never rendered, never sniffed, never cached by others."""

import unicodedata
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from customers import attachments
from customers.api import ranges
from customers.api.problems import Problem
from customers.api.query import Query
from customers.api.shapes import responses
from customers.api.views import View, log, reading
from customers.models.attachment import Attachment

MOST_NAME = 100
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# The sender's word for what it is; anything a browser could run is only bytes.
HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/", "application/pdf", "text/plain")


class AttachmentView(View):
    @extend_schema(
        operation_id="attachments_download",
        parameters=[OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range.")],
        responses={
            **responses(None, 404, 416),
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, attachment: UUID) -> FileResponse:
        """The bytes, as a download; 404 with Retry-After while they are being fetched."""
        Query(request.query_params)
        row = Attachment.objects.filter(id=attachment).first()
        if row is None:
            raise Problem("not_found", "There is no such attachment.")
        if row.state != Attachment.STORED:
            raise not_stored(row)
        etag, size = f'"{row.sha256}"', row.stored_size or 0
        part = asked(request, size, etag)
        try:
            file = attachments.open(row)
        except FileNotFoundError as error:
            raise Problem("not_found", "The attachment's bytes are missing from the storage.") from error
        with reading() as sql:
            sql.execute("SELECT customer_id FROM customers_identity WHERE id = %s", (row.identity_id,))
            log(sql, request, [one[0] for one in sql.fetchall()])
        answer = FileResponse(
            file if part is None else ranges.Slice(file, part),
            as_attachment=True,
            filename=safe_name(row.name) or f"{row.id}.bin",
            content_type=content_type(row),
            status=200 if part is None else 206,
        )
        answer["Content-Length"] = str(size if part is None else part.length)
        if part is not None:
            answer["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
        answer["Accept-Ranges"] = "bytes"
        answer["ETag"] = etag
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        answer["Cache-Control"] = "private, no-store"
        return answer


def asked(request: Request, size: int, etag: str) -> ranges.Range | None:
    """The range that the request names; raises Problem for one that lies beyond the file."""
    headers = request.headers
    try:
        return ranges.wanted(headers.get("Range", ""), headers.get("If-Range", ""), size, etag)
    except ranges.Unsatisfiable:
        told = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
        raise Problem("range_not_satisfiable", "The file ends before this range.", headers=told) from None


def not_stored(row: Attachment) -> Problem:
    if row.state == Attachment.WANTED:
        return Problem("not_found", "The attachment is not stored yet.", headers={"Retry-After": "5"})
    return Problem("not_found", f"The attachment could not be fetched: {row.reason}")


def safe_name(said: str) -> str:
    """The sender's word for the file without a folder, and without what moves the cursor or turns the text around."""
    last = said.replace("\\", "/").rpartition("/")[2]
    plain = "".join(one for one in last if unicodedata.category(one) not in HIDDEN).strip(" .")
    stem, dot, kind = plain.rpartition(".")
    if len(plain) <= MOST_NAME or not stem:
        return plain[:MOST_NAME]
    return f"{stem[: MOST_NAME - 12]}{dot}{kind[:11]}"


def content_type(row: Attachment) -> str:
    kind = row.content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/plain"):
        return "text/plain; charset=utf-8"
    return kind if kind.startswith(HARMLESS) and kind.isascii() and kind.isprintable() else "application/octet-stream"
