"""Opening the house for a command: settings of the environment, a database of this version, a key that opens it."""

from typing import Annotated

import typer
from sqlalchemy import Engine

from app import clock, migrations
from app.building import build
from app.doctor import kek_variable
from app.house import House
from app.setting_values import SettingsError
from app.settings import Settings
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
    must_fit(made)
    made.found_city(now=clock.now())
    return made


def must_fit(made: House) -> None:
    """Refuse to work where settings, database and this version do not belong together."""
    must_be_served(made.database.engine)
    must_be_its_address(made)
    must_open_a_key(made)


def must_be_served(engine: Engine) -> None:
    """Refuse to work on a database that this version does not serve."""
    must_not_be_held(engine)
    if not migrations.is_served(engine):
        raise SettingsError(
            "数据库版本较旧，请先运行 licence migrate · the database is of an older version: run `licence migrate`"
        )


def must_not_be_held(engine: Engine) -> None:
    """Refuse to work on a database that a restore has loaded and not come to its end with."""
    if migrations.is_held(engine):
        raise SettingsError(
            "上次恢复未完成，请用同一文件夹再运行 licence restore · "
            "a restore has not come to its end: run `licence restore` again, with the same folder"
        )


def must_be_its_address(made: House) -> None:
    """Refuse to sign for another address than the database's licences name: nobody would believe either."""
    if (theirs := made.other_address()) is not None:
        raise SettingsError(
            f"此数据库的证照都写着 {theirs}，请照此设置 LICENCE_BASE_URL，或另用数据库 · the licences of this database "
            f"name {theirs}: set LICENCE_BASE_URL to it, or use another database"
        )


def must_open_a_key(made: House) -> None:
    """Refuse to work with a key-encryption key that does not open what the database holds."""
    sealed = [row for row in made.vault.key_rows() if row.sealed is not None and row.state != KeyState.COMPROMISED]
    if sealed:
        try:
            made.vault.by_kid(sealed[0].kid)
        except KeySealBrokenError as error:
            raise SettingsError(
                f"{kek_variable(made.settings)} 的主密钥打不开数据库中的密钥，请换成正确的 · the key-encryption key "
                f"of {kek_variable(made.settings)} does not open the database's keys: set the right one"
            ) from error
