"""Ticket numbers come from a sequence: no two alike, no lock between two operators."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [migrations.RunSQL("create sequence ticket_number start 100001", "drop sequence ticket_number")]
