from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0019_rare_words")]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("series", models.TextField(primary_key=True, serialize=False)),
                ("value", models.FloatField()),
            ],
        ),
    ]
