"""The files that a start of the product prepares."""

from core.embedded.static_files import collect_if_changed
from core.messages import compile_catalogues


def run() -> None:
    compile_catalogues()
    collect_if_changed(compress=False)
