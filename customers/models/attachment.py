"""A file of a line: where it can be had, and once it is stored, by which hash its bytes are kept."""

from django.db import models


class Attachment(models.Model):
    """`WANTED` rows are work: fetched when due. The bytes are kept once per SHA-256, whoever else sent them.

    The name and the content type are the sender's words, never trusted. No foreign keys: `identity_id` distributes.
    """

    WANTED, STORED, FAILED, GONE = "wanted", "stored", "failed", "gone"

    id = models.UUIDField(primary_key=True, help_text="uuid5 of the line and the file's ref or url.")
    line_id = models.UUIDField()
    identity_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    source = models.TextField()
    name = models.TextField(default="")
    content_type = models.TextField(default="")
    size = models.BigIntegerField(null=True, help_text="As the provider says.")
    url = models.TextField(default="")
    ref = models.TextField(default="")
    delivery = models.UUIDField(null=True, help_text="Opaque: the delivery that it came with.")
    state = models.TextField(default=WANTED)
    sha256 = models.CharField(max_length=64, default="")
    stored_size = models.BigIntegerField(null=True)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    reason = models.TextField(default="", help_text="Why it failed or is gone; never an address.")
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="attachment_wanted", condition=models.Q(state="wanted")),
            models.Index(fields=["line_id"], name="attachment_line"),
            models.Index(fields=["sha256"], name="attachment_sha256", condition=~models.Q(sha256="")),
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)
