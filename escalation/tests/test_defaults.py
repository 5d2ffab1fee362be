"""The shipped maps: loaded once, whole, every line can start, the dry run says that nobody plays the roles yet."""

import json

import pytest
from django.core.management import call_command

from escalation.models import DutyRole, EscalationMap, MapLine
from escalation.services import defaults, dry_run, planning, runs
from escalation.states import HoleKind
from escalation.tests.builders import NOW

pytestmark = pytest.mark.django_db


def test_every_shipped_line_can_start(capsys):
    call_command("load_maps")
    assert capsys.readouterr().out.strip() == "role: 11, map: 2, line: 8"
    for line in planning.lines_in_use():
        run = runs.start(subject=f"incident:{line.pk}", origin="test", title=line.name, line=line, now=NOW)
        assert run.level == 1
    found = dry_run.run(now=NOW)
    assert found.stale_lines == 8
    assert {hole.kind for hole in found.holes.all()} == {HoleKind.NOBODY}


def test_what_was_changed_stays_and_what_was_deleted_stays_away():
    defaults.load(now=NOW)
    MapLine.objects.filter(code="c1").update(reaction_minutes=3)
    MapLine.objects.filter(code="c2").delete()
    assert defaults.load(now=NOW) == {"role": 0, "map": 0, "line": 0}
    assert MapLine.objects.get(code="c1").reaction_minutes == 3
    assert not MapLine.objects.filter(code="c2").exists()


def test_every_signal_of_the_catalogue_has_its_line_once_or_by_two_chains():
    named = [signal for line in json.loads(defaults.DATA.read_text("utf-8"))["maps"][0]["lines"] for signal in line["signals"]]
    assert len(set(named)) == len(named) - 1  # A11: one store is C6, a region is C1
    assert {signal[0] for signal in named} == {"A", "L", "M", "I"}
    assert DutyRole.objects.count() == EscalationMap.objects.count() == 0
