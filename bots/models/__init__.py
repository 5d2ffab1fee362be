"""Dialogues with their versions and steps, and what became of them with guests."""

from bots.models.dialogues import Dialogue, Step, StepWay, Version
from bots.models.runs import Run, SkillUse, Turn

__all__ = ["Dialogue", "Run", "SkillUse", "Step", "StepWay", "Turn", "Version"]
