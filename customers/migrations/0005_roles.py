"""The roles of agents, as groups of users."""

from typing import Any

from django.db import migrations

ROLES = ("agent", "supervisor", "admin")


def make(apps: Any, schema_editor: Any) -> None:
    for role in ROLES:
        apps.get_model("auth", "Group").objects.get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_attachments"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
