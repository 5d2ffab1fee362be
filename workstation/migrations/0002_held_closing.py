import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workstation", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldClosing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("session", "dialogue"), ("case", "ticket")], max_length=8)),
                ("subject_id", models.BigIntegerField()),
                ("cause", models.CharField(blank=True, max_length=40)),
                ("note", models.TextField(blank=True)),
                ("owner_id", models.BigIntegerField(null=True)),
                ("seen_id", models.BigIntegerField()),
                ("due_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "closing that can be taken back",
                "verbose_name_plural": "closings that can be taken back",
                "indexes": [models.Index(fields=["due_at"], name="held_closing_due")],
                "constraints": [models.UniqueConstraint(fields=("kind", "subject_id"), name="held_closing_once")],
            },
        ),
    ]
