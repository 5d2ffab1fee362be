"""What is wrong with a dialogue, said before guests meet it: pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from bots.script import IMPOSSIBLE, OTHER, WAITING, Expects, Script, Step, StepKind


def faults(script: Script, *, outcomes: Mapping[str, Collection[str]]) -> Sequence[str]:
    """Sentences for the editor; empty = it can be published. `outcomes` of each skill that there is."""
    found = [_("There is no first step.")] if script.start not in script.steps else []
    for step in script.steps.values():
        found += [_("Step «%(step)s»: %(fault)s") % {"step": step.code, "fault": fault} for fault in _of_step(step, script, outcomes)]
    lost = set(script.steps) - _reached(script)
    found += [_("Step «%(step)s» is never reached.") % {"step": code} for code in sorted(lost)]
    found += [
        _("Step «%(step)s»: nothing leads from it to the guest's next word or to an end.") % {"step": code} for code in _circles(script)
    ]
    return found


def _of_step(step: Step, script: Script, outcomes: Mapping[str, Collection[str]]) -> Iterator[str]:
    for way in step.ways:
        if way.to not in script.steps:
            yield _("a way leads to «%(to)s», which there is not.") % {"to": way.to}
    if step.kind in WAITING and not step.text:
        yield _("the guest is asked without words.")
    if step.kind == StepKind.MENU:
        if not step.choices:
            yield _("the menu has no choices.")
        if len([way for way in step.ways if way.label]) > 9:
            yield _("a menu has at most nine choices: that many keys there are.")
    if step.kind == StepKind.SKILL:
        yield from _of_skill(step, outcomes)
    if step.kind == StepKind.ASK and not step.onward:
        yield _("nothing follows the answer.")
    if step.kind == StepKind.ASK and step.expects == Expects.PHONE and not any(way.outcome == IMPOSSIBLE for way in step.ways):
        yield _("not every channel can share a telephone: a way «impossible» is missing.")


def _of_skill(step: Step, outcomes: Mapping[str, Collection[str]]) -> Iterator[str]:
    if step.skill not in outcomes:
        yield _("there is no skill «%(skill)s».") % {"skill": step.skill}
        return
    named = {way.outcome or OTHER for way in step.ways}
    for unknown in sorted(named - set(outcomes[step.skill]) - {OTHER, "failed"}):
        yield _("the skill has no outcome «%(outcome)s».") % {"outcome": unknown}
    if OTHER not in named:
        for missing in sorted(set(outcomes[step.skill]) - named):
            yield _("the outcome «%(outcome)s» of the skill leads nowhere.") % {"outcome": missing}


def _reached(script: Script) -> set[str]:
    reached, ahead = set(), [script.start]
    while ahead:
        code = ahead.pop()
        if code in reached or code not in script.steps:
            continue
        reached.add(code)
        ahead += [way.to for way in script.steps[code].ways]
    return reached


def _circles(script: Script) -> Iterator[str]:
    """Steps that go on by themselves and can never stop."""
    for code, step in script.steps.items():
        if step.kind in (StepKind.SAY, StepKind.SKILL) and not _stops(script, code):
            yield code


def _stops(script: Script, code: str) -> bool:
    seen: set[str] = set()
    ahead = [code]
    while ahead:
        step = script.steps.get(ahead.pop())
        if step is None or step.kind not in (StepKind.SAY, StepKind.SKILL) or not step.ways:
            return True
        if step.code not in seen:
            seen.add(step.code)
            ahead += [way.to for way in step.ways]
    return False
