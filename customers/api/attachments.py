"""Serves a stored file as a download and nothing else: never rendered, never sniffed, never cached by others."""

from uuid import UUID

from django.http import FileResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers import attachments
from customers.api.authentication import needs
from customers.api.problems import Problem
from customers.models.attachment import Attachment

# The sender's word for what it is; anything a browser could run is only bytes.
HARMLESS = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/", "application/pdf", "text/plain")


class AttachmentView(APIView):
    """GET /api/v1/attachments/{id}"""

    permission_classes = [needs("read")]

    def get(self, request: Request, attachment: UUID) -> FileResponse | Response:
        row = Attachment.objects.filter(id=attachment).first()
        if row is None:
            raise Problem("not_found", "There is no such attachment.")
        if row.state != Attachment.STORED:
            raise not_stored(row)
        try:
            file = attachments.open(row)
        except FileNotFoundError as error:
            raise Problem("not_found", "The attachment's bytes are missing from the storage.") from error
        answer = FileResponse(
            file, as_attachment=True, filename=row.name or f"{row.id}.bin", content_type=content_type(row)
        )
        answer["Content-Length"] = str(row.stored_size)
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        answer["Cache-Control"] = "private, no-store"
        return answer


def not_stored(row: Attachment) -> Problem:
    if row.state == Attachment.WANTED:
        return Problem("not_found", "The attachment is not stored yet.", headers={"Retry-After": "5"})
    return Problem("not_found", f"The attachment could not be fetched: {row.reason}")


def content_type(row: Attachment) -> str:
    kind = row.content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/plain"):
        return "text/plain; charset=utf-8"
    return kind if kind.startswith(HARMLESS) and kind.isascii() and kind.isprintable() else "application/octet-stream"
