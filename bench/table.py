"""`python -m bench NAME | python -m bench.table`: the figures as a Markdown table."""

import sys

from bench.figures import Figure, read


def row(one: Figure) -> str:
    return f"| {one.name} | {_shown(one.value)} {one.unit} | {_shown(one.limit)} | {_shown(one.ratio)} |"


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def main() -> None:
    print("| figure | value | limit | ratio |\n|---|---|---|---|")
    for one in read(sys.stdin):
        print(row(one))


if __name__ == "__main__":
    main()
