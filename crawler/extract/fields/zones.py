"""The zone of local times on a page that no portal is configured for.

1. The country of the host's top-level domain, where it has one zone for its media.
2. The offset that another time in the page's head has.
3. The language of the text, where nearly all who write it keep one time.
4. UTC: English, Spanish and Portuguese are written around the world.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crawler.extract.document.language import language_of
from crawler.extract.generic import GENERIC_ID

if TYPE_CHECKING:
    from datetime import tzinfo

    from crawler.config.portal import Portal
    from crawler.extract.document.page import Page
    from crawler.extract.fields.metadata import Metadata

_BY_COUNTRY = {
    **dict.fromkeys(("cn", "中国"), "Asia/Shanghai"),
    "hk": "Asia/Hong_Kong",
    "tw": "Asia/Taipei",
    "mo": "Asia/Macau",
    "sg": "Asia/Singapore",
    "my": "Asia/Kuala_Lumpur",
    "ph": "Asia/Manila",
    "jp": "Asia/Tokyo",
    "kr": "Asia/Seoul",
    "vn": "Asia/Ho_Chi_Minh",
    "th": "Asia/Bangkok",
    "in": "Asia/Kolkata",
    "pk": "Asia/Karachi",
    "ir": "Asia/Tehran",
    "tr": "Europe/Istanbul",
    "il": "Asia/Jerusalem",
    "uk": "Europe/London",
    "ie": "Europe/Dublin",
    "de": "Europe/Berlin",
    "at": "Europe/Vienna",
    "ch": "Europe/Zurich",
    "fr": "Europe/Paris",
    "it": "Europe/Rome",
    "es": "Europe/Madrid",
    "pt": "Europe/Lisbon",
    "nl": "Europe/Amsterdam",
    "be": "Europe/Brussels",
    "lu": "Europe/Luxembourg",
    "pl": "Europe/Warsaw",
    "cz": "Europe/Prague",
    "hu": "Europe/Budapest",
    "ro": "Europe/Bucharest",
    "bg": "Europe/Sofia",
    "gr": "Europe/Athens",
    "ua": "Europe/Kyiv",
    "ru": "Europe/Moscow",
    "lt": "Europe/Vilnius",
    "lv": "Europe/Riga",
    "ee": "Europe/Tallinn",
    "fi": "Europe/Helsinki",
    "se": "Europe/Stockholm",
    "no": "Europe/Oslo",
    "dk": "Europe/Copenhagen",
    "za": "Africa/Johannesburg",
    "ng": "Africa/Lagos",
    "ke": "Africa/Nairobi",
    "eg": "Africa/Cairo",
    "ar": "America/Argentina/Buenos_Aires",
    "cl": "America/Santiago",
    "pe": "America/Lima",
    "nz": "Pacific/Auckland",
}
_BY_LANGUAGE = {
    "zh-Hans": "Asia/Shanghai",
    "zh-Hant": "Asia/Taipei",
    "ja": "Asia/Tokyo",
    "ko": "Asia/Seoul",
    "vi": "Asia/Ho_Chi_Minh",
    "th": "Asia/Bangkok",
    "id": "Asia/Jakarta",
    "hi": "Asia/Kolkata",
    "he": "Asia/Jerusalem",
    "tr": "Europe/Istanbul",
    "de": "Europe/Berlin",
    "fr": "Europe/Paris",
    "it": "Europe/Rome",
    "nl": "Europe/Amsterdam",
    "pl": "Europe/Warsaw",
    "ru": "Europe/Moscow",
    "uk": "Europe/Kyiv",
    "el": "Europe/Athens",
    "sv": "Europe/Stockholm",
    "no": "Europe/Oslo",
    "da": "Europe/Copenhagen",
}
_TIMED = re.compile("date|time")
_OFFSET = re.compile(
    r"T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<sign>[+-])(?P<hours>[01]\d):?(?P<minutes>[034]\d)$"
)
_SAMPLE_LINES, _SAMPLE_CHARS = 300, 800


def zone_of(page: Page, portal: Portal, meta: Metadata) -> tzinfo:
    """Return the portal's zone; of no portal, what the page's host and text suggest."""
    if portal.id != GENERIC_ID or "timezone" in portal.model_fields_set:
        return ZoneInfo(portal.timezone)
    country = (urlsplit(page.url).hostname or "").rpartition(".")[2]
    name = _BY_COUNTRY.get(country)
    if name is None and (written := _written(meta)):
        return written
    if name is None and not page.is_json:
        name = _BY_LANGUAGE.get(language_of(_sample(page)) or "")
    return ZoneInfo(name or portal.timezone)


def _written(meta: Metadata) -> tzinfo | None:
    """Return the first offset from UTC of a time in the head."""
    said = (*meta.said("datePublished"), *meta.said("dateModified"))
    for text in (*said, *(text for _, text in meta.matching(_TIMED))):
        found = _OFFSET.search(text)
        if found and found["hours"] + found["minutes"] != "0000":
            size = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
            return timezone(-size if found["sign"] == "-" else size)
    return None


def _sample(page: Page) -> str:
    """Return some of the longest lines: short ones are navigation, often English."""
    lines = sorted(page.lines[:_SAMPLE_LINES], key=len, reverse=True)
    return "\n".join(lines)[:_SAMPLE_CHARS]
