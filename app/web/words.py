"""What pages say, in Chinese and English: the Chinese text is the key, `locale/en.po` says the same in English.

The one door to Babel. Catalogues are read as they are written; nothing is compiled.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import cache
from importlib.resources import files

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from fastapi import Request

from credentials.licence_type import CITY_TIME

COOKIE, LANGUAGES = "language", ("zh", "en")
LOCALES: Mapping[str, str] = {"zh": "zh_Hans_CN", "en": "en_GB"}


@cache
def english() -> Mapping[str, str]:
    """Return the English of each Chinese text."""
    with files("app.web").joinpath("locale/en.po").open("rb") as file:
        catalogue = read_po(file)
    return {str(one.id): str(one.string) for one in catalogue if one.id and one.string}


def language_of(request: Request) -> str:
    """Return the language a browser wants: as it was chosen, else as it says, else Chinese."""
    chosen = request.query_params.get("language") or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", "").lower()
    return next((one.strip()[:2] for one in wanted.split(",") if one.strip()[:2] in LANGUAGES), "zh")


def translate(text: str, language: str) -> str:
    """Return a text in a language; one without a translation stays Chinese, and a test fails."""
    return english().get(text, text) if language == "en" else text


def moment(instant: datetime | str, language: str) -> str:
    """Return an instant as people read it, in the city's time."""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return format_datetime(at.astimezone(CITY_TIME), "medium", locale=LOCALES[language])


def until(instant: datetime | str, language: str) -> str:
    """Return until when something is good as people read it: its last day where it ends with one, else the instant."""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    with_the_day = at.astimezone(CITY_TIME).time() == time()
    return day(at - timedelta(microseconds=1), language) if with_the_day else moment(at, language)


def day(instant: datetime | str, language: str) -> str:
    """Return an instant's day as people read it, in the city's time."""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return format_date(at.astimezone(CITY_TIME), "medium", locale=LOCALES[language])


def listed(texts: Iterable[str], language: str) -> str:
    """Return several texts as one, as people read them one after another."""
    return ("、" if language == "zh" else ", ").join(texts)
