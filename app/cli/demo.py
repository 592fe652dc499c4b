"""`licence demo`: the main job, told as a story, over real HTTP with a fresh database. Every step is checked."""

import json
import shutil
import signal
import tempfile
import time
from pathlib import Path

from app.cli import demo_offline, demo_stories, demo_wallet
from app.cli.client import CallRefusedError
from app.cli.demo_city import City
from app.cli.demo_server import StoryBrokenError, environment, first_token, free_port, server
from app.cli.demo_teller import Teller
from app.cli.output import errors
from app.setting_values import SettingsError

MARK = ".licence-demo"
"""A file that says: this folder is a demonstration's, its database and key may go."""


def run(folder: Path | None, *, keep: bool, as_json: bool, foreign_wallet: Path | None = None) -> bool:
    """Tell the story in `folder` (a fresh temporary one if None); returns whether every step was as told."""
    place = Path(folder or tempfile.mkdtemp(prefix="licence-demo-"))
    _make_room(place)
    teller = Teller(as_json=as_json)
    try:
        _tell(place, teller, foreign_wallet, keep=keep)
    except (StoryBrokenError, CallRefusedError) as error:
        errors.print(f"THE STORY BROKE: {error}", markup=False, style="bold red")
        if isinstance(error, CallRefusedError):
            errors.print_json(json.dumps(error.problem, ensure_ascii=False))
        errors.print(f"the server's log: {place / 'server.log'}", markup=False)
        return False
    if folder is None:
        shutil.rmtree(place)
        teller.say("Its pictures are gone with it: `licence demo --folder FOLDER` keeps them.")
    return True


def _make_room(place: Path) -> None:
    """Take a new folder, or one that an earlier demonstration marked as its own; anybody else's is left alone."""
    place.mkdir(parents=True, exist_ok=True)
    mark = place / MARK
    if any(place.iterdir()) and not mark.exists():
        raise SettingsError(
            f"{place} 不是空文件夹，请另选 · is not empty and no demonstration made it: choose a new folder"
        )
    for old in [*place.glob("licence.db*"), place / "kek"]:
        old.unlink(missing_ok=True)
    mark.touch()


def _tell(place: Path, teller: Teller, foreign_wallet: Path | None, *, keep: bool) -> None:
    started = time.perf_counter()
    port = free_port()
    env = environment(place, port)
    operator = first_token(env)
    with server(place, env, port) as url:
        city = City(url, operator, teller, place)
        city.found()
        city.issue()
        city.show()
        city.refuse_used_and_expired(env)
        city.refuse_forgeries()
        city.change_status()
        demo_stories.school_transfer(city)
        demo_stories.noodle_shop(city)
        left_out = demo_wallet.show(city, foreign_wallet)
        demo_offline.prepare(city)
    demo_offline.verify(city)
    with server(place, env, port):
        city.uses()
        city.doctor(env)
        seconds = time.perf_counter() - started
        told = f"{teller.count} steps, each as told, in {seconds:.0f} s"
        if left_out is None:
            teller.say(f"That was the whole of it: {told}.")
        else:
            teller.say(f"That was it, without the foreign wallet 他方钱包 ({left_out}): {told}.")
        if keep:
            _stay(city, teller)


def _stay(city: City, teller: Teller) -> None:
    for key in ("li_si", "zhang_san"):
        person = city.person(key)
        holder = city.operator.post("/admin/holders", person)["key"]
        link = city.operator.post(f"/admin/holders/{holder}/sign-in-link")["secret"]
        teller.say(
            f"Sign-in link of {person['name']} (once, 30 minutes): POST {city.url}/wallet/sign-in",
            after=json.dumps({"link": link}),
        )
    teller.say(f"The server stays up at {city.url} (API reference: {city.url}/docs). Ctrl-C ends it.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us ends the server too
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
