"""The peers' protocol: JSON lines. The first line is the set-up, every later one a command answered in one line."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

Command = Callable[[dict[str, Any]], dict[str, Any]]


def answer_lines(set_up: Callable[[dict[str, Any]], Command]) -> None:
    """Set up with the first line, then answer commands until standard input ends; whatever fails ends the process."""
    command: Command | None = None
    for line in filter(str.strip, sys.stdin):
        if command is None:
            command = set_up(json.loads(line))
        else:
            print(json.dumps(command(json.loads(line))), flush=True)


def for_seconds(seconds: float, work: Callable[[int], object]) -> dict[str, Any]:
    """Run `work` over and over, one after another, for some seconds."""
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(20):
            work(count)
            count += 1
    return {"count": count, "seconds": spent}
