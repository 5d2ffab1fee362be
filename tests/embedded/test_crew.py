"""A process that dies is started again; one that keeps dying ends the run."""

import os
import sys

import pytest

from core.embedded.crew import DEATHS, Crew
from core.embedded.errors import StartError
from core.embedded.process import Program
from core.embedded.waiting import wait_until


def program(tmp_path, script):
    return Program(name="worker", argv=(sys.executable, "-c", script), log=tmp_path / "worker.log", environment=os.environ)


def ended(crew):
    return wait_until(lambda: crew.children[0].exit_code is not None, seconds=20)


def test_a_killed_process_is_started_again_and_that_is_said(tmp_path):
    said = []
    crew = Crew(said.append)
    crew.start([program(tmp_path, "import time; time.sleep(60)")])
    first = crew.children[0]
    try:
        first.kill()
        assert ended(crew)
        crew.tend()
        assert crew.children[0].pid != first.pid
        assert crew.children[0].exit_code is None
        assert "started again" in said[0]
    finally:
        crew.children[0].stop()


def test_a_process_that_keeps_dying_ends_the_run_with_its_last_words(tmp_path):
    crew = Crew(lambda _line: None)
    crew.start([program(tmp_path, "print('no more paper'); raise SystemExit(3)")])
    for _death in range(DEATHS - 1):
        assert ended(crew)
        crew.tend()
    assert ended(crew)
    with pytest.raises(StartError, match="worker ended by itself"):
        crew.tend()
