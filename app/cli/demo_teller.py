"""Who tells the demonstration: its steps to a person, or as JSON lines."""

from typing import Any

from app.cli.demo_server import StoryBrokenError
from app.cli.output import console, print_json


class Teller:
    """Tells steps to a person, or as JSON lines."""

    def __init__(self, *, as_json: bool, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.count = 0

    def say(self, sentence: str, *, after: str = "", **facts: object) -> None:
        """Tell one step and what was seen."""
        self.count += 1
        if self.quiet:
            return
        if self.as_json:
            print_json({"step": self.count, "told": sentence, "seen": after, **facts}, compact=True)
            return
        console.print(f"{self.count:2}. {sentence}", markup=False, soft_wrap=True)
        if after:
            console.print(f"    → {after}", markup=False, soft_wrap=True, style="bold")

    def expect(self, sentence: str, made: dict[str, Any], reason: str) -> None:
        """Tell a step whose verdict must have `reason`."""
        if made["reason"] != reason:
            raise StoryBrokenError(f"{sentence}: expected {reason}, got {made['reason']}")
        why = "" if reason == made["verdict"] else f" ({reason})"
        said = f"{made['verdict']}{why}  {made['message']['zh']}  {made['message']['en']}"
        self.say(sentence, after=said, verdict=made["verdict"], reason=reason)
