import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Stems that say something, each once, in one line: what prints of tickets are made of.
WORDS = """
create function ticket_words(said text) returns text language sql stable parallel safe as $$
select coalesce(string_agg(w, ' '), '') from unnest(tsvector_to_array(to_tsvector('russian', said))) w
where length(w) between 2 and 40 and w !~ '^[0-9.,-]+$' and not exists (select from tickets_commonword c where c.stem = w)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0002_cluster"),
        ("tickets", "0006_policy_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CommonWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=60, unique=True, verbose_name="word")),
                ("stem", models.CharField(db_index=True, editable=False, max_length=60)),
            ],
            options={
                "verbose_name": "word that says nothing",
                "verbose_name_plural": "words that say nothing",
                "ordering": ["word"],
            },
        ),
        migrations.CreateModel(
            name="LikenessPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "least_score",
                    models.PositiveSmallIntegerField(
                        default=50,
                        help_text="Weaker matches are not offered.",
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="least score shown",
                    ),
                ),
                (
                    "guest_days",
                    models.PositiveSmallIntegerField(
                        default=30, validators=[django.core.validators.MinValueValidator(1)], verbose_name="same guest: days looked back"
                    ),
                ),
                (
                    "store_days",
                    models.PositiveSmallIntegerField(
                        default=7, validators=[django.core.validators.MinValueValidator(1)], verbose_name="same store: days looked back"
                    ),
                ),
                (
                    "near_hours",
                    models.PositiveSmallIntegerField(
                        default=36, validators=[django.core.validators.MinValueValidator(1)], verbose_name="close in time: hours"
                    ),
                ),
                (
                    "far_days",
                    models.PositiveSmallIntegerField(
                        default=10, validators=[django.core.validators.MinValueValidator(1)], verbose_name="far in time: days"
                    ),
                ),
                (
                    "most_shown",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)],
                        verbose_name="most shown",
                    ),
                ),
                ("undo_days", models.PositiveSmallIntegerField(default=30, verbose_name="undo possible, days")),
            ],
            options={
                "verbose_name": "numbers of duplicates",
                "verbose_name_plural": "numbers of duplicates",
            },
        ),
        migrations.CreateModel(
            name="LikenessRule",
            fields=[
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("same_guest", "the same guest"),
                            ("same_contact", "the same telephone or e-mail address"),
                            ("same_name", "the same name"),
                            ("same_figures", "the same order, receipt or card number"),
                            ("other_guest", "another guest, on a topic that is one guest's own"),
                            ("common_matter", "another guest, on a topic that many tell of"),
                            ("same_store", "the same store"),
                            ("other_store", "different stores"),
                            ("same_topic", "the same topic"),
                            ("same_branch", "a neighbouring topic"),
                            ("other_branch", "topics of different branches"),
                            ("near", "close in time"),
                            ("far", "far apart in time"),
                            ("same_words", "very similar words"),
                            ("like_words", "similar words"),
                            ("unlike_words", "nothing in common in the words"),
                            ("other_figures", "different order or receipt numbers"),
                        ],
                        max_length=24,
                        primary_key=True,
                        serialize=False,
                        verbose_name="what is compared",
                    ),
                ),
                (
                    "points",
                    models.SmallIntegerField(
                        help_text="Added to the score of 0 to 100; below zero = it speaks against.",
                        validators=[django.core.validators.MinValueValidator(-100), django.core.validators.MaxValueValidator(100)],
                        verbose_name="points",
                    ),
                ),
            ],
            options={
                "verbose_name": "rule of duplicates",
                "verbose_name_plural": "rules of duplicates",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="SharedTopic",
            fields=[
                (
                    "topic",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="tickets.topic",
                        verbose_name="topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "topic of common matters",
                "verbose_name_plural": "topics of common matters",
            },
        ),
        migrations.CreateModel(
            name="CasePrint",
            fields=[
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="print",
                        serialize=False,
                        to="tickets.case",
                    ),
                ),
                ("words", models.TextField(blank=True)),
                ("marks", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), default=list, size=None)),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "branch",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tickets.topic"),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tickets.topic"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["store", "-last_at"], name="print_store"),
                    models.Index(fields=["-opened_at"], name="print_opened"),
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="print_due"),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("marks", []), _negated=True), fields=["marks"], name="print_marks"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Likeness",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.PositiveSmallIntegerField(verbose_name="score")),
                ("reasons", models.JSONField(default=list, verbose_name="reasons")),
                ("found_at", models.DateTimeField(verbose_name="found")),
                (
                    "state",
                    models.CharField(
                        choices=[("offered", "offered"), ("taken", "joined or linked"), ("refused", "two matters")],
                        default="offered",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
                ("case", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="alike", to="tickets.case")),
                ("other", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="alike_later", to="tickets.case")),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["-found_at"], name="likeness_recent")],
                "constraints": [models.UniqueConstraint(fields=("case", "other"), name="likeness_once")],
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
            },
        ),
        migrations.RunSQL(WORDS, "drop function ticket_words(text)"),
    ]
