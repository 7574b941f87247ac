"""`python -m copydesk.liveness PORT [/readyz]`: for health checks. Exit 0: yes, 1: no, 2: wrong usage, 3: no answer.

PORT may also be the file that a process of `copydesk up` writes: `data/run/<name>.json`.
"""

import sys

from copydesk.liveness.asking import NoAnswer, ask

WITHIN_S = 2.0

NO, WRONG_USAGE, NO_ANSWER = 1, 2, 3


def main(arguments: list[str]) -> int:
    """Ask, print the answer, return the exit status."""
    where, path = [*arguments, "/livez"][:2] if arguments else ("", "")
    if not where or path not in ("/livez", "/readyz") or len(arguments) > 2:
        print(__doc__, file=sys.stderr)
        return WRONG_USAGE
    try:
        status, body = ask(_port(where), path, WITHIN_S)
    except NoAnswer as error:
        print(error)
        return NO_ANSWER
    print(body)
    return 0 if status == 200 else NO


def _port(where: str) -> int:
    if where.isdecimal():
        return int(where)
    import json  # not for the usual question

    try:
        with open(where, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to import than all the rest
            return int(json.load(file)["port"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoAnswer(f"{where} names no process that answers: {error}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
