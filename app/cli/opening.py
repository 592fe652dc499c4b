"""Opening the house for a command: settings of the environment, a database of this version, a key that opens it."""

from typing import Annotated

import typer

from app import clock, migrations
from app.building import build
from app.doctor import kek_variable
from app.house import House
from app.settings import Settings, SettingsError
from keys.errors import KeySealBrokenError
from keys.models import KeyState

ACTOR = "operator:command line"
Json = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]


def settings() -> Settings:
    """Return the settings of the environment."""
    return Settings()


def house() -> House:
    """Return the house over the configured database, founded."""
    made = build(settings())
    if not migrations.is_served(made.database.engine):
        raise SettingsError("the database is of an older version: run `licence migrate`")
    must_open_a_key(made)
    made.found_city(now=clock.now())
    return made


def must_open_a_key(made: House) -> None:
    """Refuse to work with a key-encryption key that does not open what the database holds."""
    sealed = [row for row in made.vault.key_rows() if row.sealed is not None and row.state != KeyState.COMPROMISED]
    if sealed:
        try:
            made.vault.by_kid(sealed[0].kid)
        except KeySealBrokenError as error:
            raise SettingsError(
                f"the key-encryption key of {kek_variable(made.settings)} does not open the database's keys: "
                "set the right one"
            ) from error
