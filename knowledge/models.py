"""Articles: what is known and told again and again."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower, Replace
from django.utils.translation import gettext_lazy as _

from core.text import searchable


class Audience(models.TextChoices):
    GUEST = "guest", _("guests")
    STAFF = "staff", _("staff only")


def _vector(field: str, weight: str) -> SearchVector:
    normal = Replace(Lower(field), Value("ё"), Value("е"), output_field=models.TextField())
    return SearchVector(normal, config="russian", weight=weight)


class Article(models.Model):
    """One article. `answer` is the whole matter in a few sentences: what a bot says and a telephone can read aloud."""

    code = models.SlugField(_("code"), unique=True)
    title = models.CharField(_("title"), max_length=160)
    answer = models.TextField(
        _("short answer"), max_length=900, help_text=_("A few sentences without marks: bots say it, telephones read it aloud.")
    )
    body = models.TextField(_("text"), blank=True, help_text=_("Plain text or Markdown."))
    tags = models.CharField(_("words it is looked for by"), max_length=400, blank=True, help_text=_("Separated by commas."))
    audience = models.CharField(_("for whom"), max_length=5, choices=Audience, default=Audience.GUEST)
    is_published = models.BooleanField(_("published"), default=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    search_text = models.TextField(editable=False, default="")
    """Title and tags in one form: what misspelt words are compared with."""
    search = models.GeneratedField(
        expression=_vector("title", "A") + _vector("tags", "A") + _vector("answer", "B") + _vector("body", "C"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["title"]
        indexes = [
            GinIndex(fields=["search"], name="article_search"),
            models.Index(fields=["audience", "is_published"], name="article_shown"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        self.search_text = searchable(self.title, self.tags)
        super().save(*args, **kwargs)  # type: ignore[arg-type]
