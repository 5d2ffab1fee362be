"""`python -m bench.child TASK`: runs bench.tasks.TASK.run(**arguments) inside the product; arguments and answer are JSON."""

import importlib
import json
import sys

import django

from config.garbage import settle


def main() -> None:
    arguments = json.loads(sys.stdin.read() or "{}")
    django.setup()
    module, _dot, function = sys.argv[1].partition(".")
    task = getattr(importlib.import_module(f"bench.tasks.{module}"), function or "run")
    settle()  # as the product's processes begin
    json.dump(task(**arguments), sys.stdout)


if __name__ == "__main__":
    main()
