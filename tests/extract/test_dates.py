import json
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extract.dates.grammar import Moment, read_date

CHINA = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
AT = datetime.fromisoformat("2025-07-15T14:00:30+08:00")  # a Tuesday


def read(
    text: str | float, zone: tzinfo = CHINA, form: str | None = None
) -> Moment | None:
    """Read text as captured at AT, on a Chinese portal where not said."""
    return read_date(text, at=AT, zone=zone, format=form)


def brief(moment: Moment | None) -> tuple[str, str] | None:
    """Give what a table of cases states: the local time and the precision."""
    if moment is None:
        return None
    return moment.at.isoformat().removesuffix("+08:00"), moment.precision


ABSOLUTE = {
    "2025-07-15T08:57:12+08:00": ("2025-07-15T08:57:12", "second"),
    "2025-07-15T08:57:00+08:00": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15T08:57:00": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15T00:57:12.345Z": ("2025-07-15T00:57:12+00:00", "second"),
    "Tue, 15 Jul 2025 06:52:00 +0800": ("2025-07-15T06:52:00", "minute"),
    "Tue, 15 Jul 2025 06:52:07 +0800": ("2025-07-15T06:52:07", "second"),
    "15 Jul 25 06:52:07 GMT": ("2025-07-15T06:52:07+00:00", "second"),
    "Tue Jul 15 06:52:07 2025": ("2025-07-15T06:52:07", "second"),
    "Tue Jul 15 2025 06:52:07 GMT+0800 (China Standard Time)": (
        "2025-07-15T06:52:07",
        "second",
    ),
    "2025-07-15 08:57": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15 08:57:00": ("2025-07-15T08:57:00", "second"),
    "2025-07-15 08:57:12": ("2025-07-15T08:57:12", "second"),
    "2025-07-15 24:00": ("2025-07-16T00:00:00", "minute"),
    "2025-07-15周二08:57": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15 09:30-11:00": ("2025-07-15T09:30:00", "minute"),
    "2025-7-5": ("2025-07-05T00:00:00", "day"),
    "2025/07/15": ("2025-07-15T00:00:00", "day"),
    "2025/7/5 8:05": ("2025-07-05T08:05:00", "minute"),
    "2025.07.15": ("2025-07-15T00:00:00", "day"),
    "２０２５年７月１５日　０８：５７": ("2025-07-15T08:57:00", "minute"),
    "2025年7月15日": ("2025-07-15T00:00:00", "day"),
    "2025年07月15日08:57": ("2025-07-15T08:57:00", "minute"),
    "2025年7月15日（星期二）08:57": ("2025-07-15T08:57:00", "minute"),
    "2025年7月15日 上午9时12分": ("2025-07-15T09:12:00", "minute"),
    "2025年7月14日 下午3:05": ("2025-07-14T15:05:00", "minute"),
    "2025年7月14日 下午3时": ("2025-07-14T15:00:00", "hour"),
    "2025年7月14日晚上8点半": ("2025-07-14T20:30:00", "minute"),
    "2025年7月14日晚上12点": ("2025-07-15T00:00:00", "hour"),
    "2025年7月15日凌晨12:20": ("2025-07-15T00:20:00", "minute"),
    "2025年7月14日中午12:20": ("2025-07-14T12:20:00", "minute"),
    "2025年7月14日中午1:20": ("2025-07-14T13:20:00", "minute"),
    "2025년 7월 14일 오후 3:05": ("2025-07-14T15:05:00", "minute"),
    "民國114年7月15日": ("2025-07-15T00:00:00", "day"),
    "民國一百一十四年七月十五日": ("2025-07-15T00:00:00", "day"),
    "114年7月15日": ("2025-07-15T00:00:00", "day"),
    "二〇二五年七月十五日": ("2025-07-15T00:00:00", "day"),
    "20250715": ("2025-07-15T00:00:00", "day"),
    "20250715085712": ("2025-07-15T08:57:12", "second"),
    "25-07-15 08:57": ("2025-07-15T08:57:00", "minute"),
    "18-03-08 23:16": ("2018-03-08T23:16:00", "minute"),
    "15/07/2025": ("2025-07-15T00:00:00", "day"),
    "07/15/2025 08:57": ("2025-07-15T08:57:00", "minute"),
    "15.07.2025": ("2025-07-15T00:00:00", "day"),
    "Jul 14, 2025 8:57 PM EDT": ("2025-07-14T20:57:00-04:00", "minute"),
    "8:57 p.m. ET July 14, 2025": ("2025-07-14T20:57:00-04:00", "minute"),
    "15 July 2025": ("2025-07-15T00:00:00", "day"),
    "July 4th, 2025": ("2025-07-04T00:00:00", "day"),
    "15 Jul 2025 08:57 CST": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15 08:57 HKT": ("2025-07-15T08:57:00", "minute"),
    "2025-07-15 09:57 JST": ("2025-07-15T09:57:00+09:00", "minute"),
    "14. Juli 2025, 10:30 Uhr": ("2025-07-14T10:30:00", "minute"),
    "14 juillet 2025 à 20h15": ("2025-07-14T20:15:00", "minute"),
    "14 de julio de 2025": ("2025-07-14T00:00:00", "day"),
    "14 июля 2025, 10:30": ("2025-07-14T10:30:00", "minute"),
    "14 lipca 2025": ("2025-07-14T00:00:00", "day"),
    "14 Ιουλίου 2025 10:30": ("2025-07-14T10:30:00", "minute"),
    "发布时间：25-07-1508:57": ("2025-07-15T08:57:00", "minute"),
    "2025-07-1508:57": ("2025-07-15T08:57:00", "minute"),
    "14 | 07 | 2025": ("2025-07-14T00:00:00", "day"),
    "14.07.25, 08:30 Uhr": ("2025-07-14T08:30:00", "minute"),
    "14.07.2025 08.30 Uhr": ("2025-07-14T08:30:00", "minute"),
    "Monday 14 July 2025 08.30 BST": ("2025-07-14T08:30:00+01:00", "minute"),
    "14 maj 2025 kl. 12.30": ("2025-05-14T12:30:00", "minute"),
    "14 июля 2025 г. в 12:30": ("2025-07-14T12:30:00", "minute"),
    "2025年7月14日(月) 11時50分": ("2025-07-14T11:50:00", "minute"),
    "2025. 7. 14. 오전 8:30": ("2025-07-14T08:30:00", "minute"),
    "发布时间：2025-07-15 08:57　来源：新华网": ("2025-07-15T08:57:00", "minute"),
    "發佈於 2025/07/15 08:57": ("2025-07-15T08:57:00", "minute"),
    "Published July 14, 2025 | 3 comments": ("2025-07-14T00:00:00", "day"),
}
WITHOUT_YEAR = {
    "07-11 09:05": ("2025-07-11T09:05:00", "minute"),
    "07月12日": ("2025-07-12T00:00:00", "day"),
    "7月12日 9:05": ("2025-07-12T09:05:00", "minute"),
    "七月十二日": ("2025-07-12T00:00:00", "day"),
    "12-31 23:10": ("2024-12-31T23:10:00", "minute"),
    "07-16 13:00": ("2025-07-16T13:00:00", "minute"),  # a day ahead: a zone's skew
    "07-16 15:00": ("2024-07-16T15:00:00", "minute"),  # more than a day: last year
    "02-29 10:00": ("2024-02-29T10:00:00", "minute"),
    "发布时间：07-1109:05 某地": ("2025-07-11T09:05:00", "minute"),
    "07-11": ("2025-07-11T00:00:00", "day"),
    "07/11 09:05": ("2025-07-11T09:05:00", "minute"),
    "Apr 5": ("2025-04-05T00:00:00", "day"),
    "5 April": ("2025-04-05T00:00:00", "day"),
    "08:57": ("2025-07-15T08:57:00", "minute"),
    "智通财经 08:57": ("2025-07-15T08:57:00", "minute"),
    "14:05": ("2025-07-15T14:05:00", "minute"),  # two clocks may differ that much
    "23:58": ("2025-07-14T23:58:00", "minute"),
    "下午 03:05": ("2025-07-14T15:05:00", "minute"),
}
RELATIVE = {
    "刚刚": ("2025-07-15T14:00:00", "minute"),
    "剛剛": ("2025-07-15T14:00:00", "minute"),
    "刚才": ("2025-07-15T14:00:00", "minute"),
    "just now": ("2025-07-15T14:00:00", "minute"),
    "40秒前": ("2025-07-15T13:59:00", "minute"),
    "2分鐘前": ("2025-07-15T13:58:00", "minute"),
    "十五分钟前": ("2025-07-15T13:45:00", "minute"),
    "半小时前": ("2025-07-15T13:30:00", "minute"),
    "一个半小时前": ("2025-07-15T12:30:00", "minute"),
    "1小时30分钟前": ("2025-07-15T12:30:00", "minute"),
    "几分钟前": ("2025-07-15T13:55:00", "hour"),
    "7小时前": ("2025-07-15T07:00:00", "hour"),
    "7個小時前": ("2025-07-15T07:00:00", "hour"),
    "两小时前": ("2025-07-15T12:00:00", "hour"),
    "３小时前": ("2025-07-15T11:00:00", "hour"),
    "3時間前": ("2025-07-15T11:00:00", "hour"),
    "3시간 전": ("2025-07-15T11:00:00", "hour"),
    "1小时前更新": ("2025-07-15T13:00:00", "hour"),
    "5 hours ago": ("2025-07-15T09:00:00", "hour"),
    "an hour ago": ("2025-07-15T13:00:00", "hour"),
    "5m ago": ("2025-07-15T13:55:00", "minute"),
    "Published 2 days ago": ("2025-07-13T14:00:00", "day"),
    "vor 5 Stunden": ("2025-07-15T09:00:00", "hour"),
    "vor einer Stunde": ("2025-07-15T13:00:00", "hour"),
    "il y a 3 heures": ("2025-07-15T11:00:00", "hour"),
    "hace 20 minutos": ("2025-07-15T13:40:00", "minute"),
    "há 2 dias": ("2025-07-13T14:00:00", "day"),
    "3 ore fa": ("2025-07-15T11:00:00", "hour"),
    "3 uur geleden": ("2025-07-15T11:00:00", "hour"),
    "2 godziny temu": ("2025-07-15T12:00:00", "hour"),
    "5 часов назад": ("2025-07-15T09:00:00", "hour"),
    "πριν από 3 ώρες": ("2025-07-15T11:00:00", "hour"),
    "3 saat önce": ("2025-07-15T11:00:00", "hour"),
    "вчера в 22:10": ("2025-07-14T22:10:00", "minute"),
    "gestern, 22:10": ("2025-07-14T22:10:00", "minute"),
    "2天前": ("2025-07-13T14:00:00", "day"),
    "两周前": ("2025-07-01T14:00:00", "day"),
    "2週前": ("2025-07-01T14:00:00", "day"),
    "1个月前": ("2025-06-15T14:00:00", "day"),
    "今天 09:12": ("2025-07-15T09:12:00", "minute"),
    "今日09:12": ("2025-07-15T09:12:00", "minute"),
    "昨天 22:10": ("2025-07-14T22:10:00", "minute"),
    "昨日 22:10": ("2025-07-14T22:10:00", "minute"),
    "昨晚10:30": ("2025-07-14T22:30:00", "minute"),
    "昨天": ("2025-07-14T00:00:00", "day"),
    "前天 21:51": ("2025-07-13T21:51:00", "minute"),
    "yesterday": ("2025-07-14T00:00:00", "day"),
    "周二": ("2025-07-15T00:00:00", "day"),
    "星期二 15:00": ("2025-07-08T15:00:00", "minute"),
    "週三": ("2025-07-09T00:00:00", "day"),
    "上周五": ("2025-07-11T00:00:00", "day"),
    "上週五 15:30": ("2025-07-11T15:30:00", "minute"),
}
NUMBERS: dict[str | float, tuple[str, str]] = {
    "1752541021": ("2025-07-15T08:57:01", "second"),
    "1752541021000": ("2025-07-15T08:57:01", "second"),
    1752541021: ("2025-07-15T08:57:01", "second"),
    1752541021.5: ("2025-07-15T08:57:01", "second"),
    "/Date(1752541021000+0800)/": ("2025-07-15T08:57:01", "second"),
}
NOTHING = [
    "",
    "2025-02-30",
    "2025-02-30 10:00",
    "2025-13-01",
    "2月30日",
    "2025-07-15 25:10",
    "2025-07-15 10:61",
    "07/08/2025",
    "2025年7月",
    "2026",
    "首个数据中心预计于2026年上线",
    "3-5天",
    "比分 3-2",
    "3月前",
    "5 minutes of silence",
    "drei Tage",
    "2027-07-15",
    "1989-12-31",
    "12",
    "4111111111",
    "共 12:30 3",
    "下周五",
    "腾野汽车（09871.HK）周二发布公告称，" + "受影响车辆将收到更新。" * 8,
]


@pytest.mark.parametrize(("text", "expected"), (ABSOLUTE | WITHOUT_YEAR).items())
def test_absolute_forms(text: str, expected: tuple[str, str]) -> None:
    """A written date gives its instant and says how exact it is."""
    assert brief(read(text)) == expected


@pytest.mark.parametrize(("text", "expected"), RELATIVE.items())
def test_relative_forms(text: str, expected: tuple[str, str]) -> None:
    """A date told from now counts from the capture and says so."""
    moment = read(text)
    assert brief(moment) == expected
    assert moment is not None
    assert moment.relative


@pytest.mark.parametrize(("number", "expected"), NUMBERS.items())
def test_epoch_numbers(number: str | float, expected: tuple[str, str]) -> None:
    """Seconds and milliseconds since 1970 are read from numbers and from text."""
    assert brief(read(number)) == expected


def test_day_first_where_it_is_sure() -> None:
    """In Europe the day comes first; elsewhere two readings are one too many."""
    moment = read("05/07/2025", zone=ZoneInfo("Europe/Berlin"))
    assert moment is not None
    assert moment.at.date().isoformat() == "2025-07-05"


def test_a_year_made_up_is_said() -> None:
    """A day without a year says so, a whole one does not."""
    short, whole = read("07-11 09:05"), read("2025-07-11 09:05")
    assert short is not None
    assert whole is not None
    assert (short.yearless, whole.yearless) == (True, False)


@pytest.mark.parametrize("text", NOTHING)
def test_no_date(text: str) -> None:
    """What is impossible, ambiguous or no date is None, never a guess."""
    assert read(text) is None


def test_every_range_holds_its_moment() -> None:
    """The range begins at or before the moment and ends after its beginning."""
    for text in ABSOLUTE | WITHOUT_YEAR | RELATIVE:
        moment = read(text)
        assert moment is not None
        assert moment.range[0] <= moment.at <= moment.range[1], text
        assert moment.range[0] < moment.range[1], text


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("7小时前", "2025-07-15T06:00:00", "2025-07-15T07:00:00"),
        ("7分钟前", "2025-07-15T13:52:00", "2025-07-15T13:53:00"),
        ("刚刚", "2025-07-15T13:59:00", "2025-07-15T14:00:00"),
        ("2天前", "2025-07-13T00:00:00", "2025-07-14T00:00:00"),
        ("两周前", "2025-06-24T14:00:00", "2025-07-01T14:00:00"),
        ("几分钟前", "2025-07-15T13:50:00", "2025-07-15T13:58:00"),
        ("2025-07-12", "2025-07-12T00:00:00", "2025-07-13T00:00:00"),
        ("2025-07-12 08:57", "2025-07-12T08:57:00", "2025-07-12T08:58:00"),
        ("2025-07-12 08:57:01", "2025-07-12T08:57:01", "2025-07-12T08:57:02"),
    ],
)
def test_ranges(text: str, start: str, end: str) -> None:
    """The range is what the text says, floored to the minute where it is relative.

    Else the same words, a second later, would make another revision.
    """
    moment = read(text)
    assert moment is not None
    told = [edge.isoformat().removesuffix("+08:00") for edge in moment.range]
    assert told == [start, end]


def test_raw_is_the_part_read() -> None:
    """The raw text is what was read, as it stood, without what is around it."""
    moment = read("来源：体育广场　２０２５-07-13 22:47　责任编辑：李荏")
    assert moment is not None
    assert moment.raw == "２０２５-07-13 22:47"


def test_far_in_a_long_text() -> None:
    """A date far into a text is found: the window begins at the first number."""
    moment = read("字" * 5000 + " 2025-07-13 22:47")
    assert brief(moment) == ("2025-07-13T22:47:00", "minute")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-02 01:30", "2025-11-02T01:30:00-04:00"),  # twice: the first
        ("2025-03-09 02:30", "2025-03-09T03:30:00-04:00"),  # never: forward by the gap
        ("2025-07-15 02:30", "2025-07-15T02:30:00-04:00"),
        ("2025-01-15 09:05 ET", "2025-01-15T09:05:00-05:00"),
    ],
)
def test_clocks_that_change(text: str, expected: str) -> None:
    """A local time that is twice is the first, one that never was moves forward."""
    at = datetime(2025, 12, 1, tzinfo=UTC)
    moment = read_date(text, at=at, zone=NEW_YORK)
    assert moment is not None
    assert moment.at.isoformat() == expected


def test_day_with_a_clock_change_has_23_hours() -> None:
    """The range of a day is that day in the portal's zone, however long it is."""
    moment = read_date(
        "2025-03-09", at=datetime(2025, 12, 1, tzinfo=UTC), zone=NEW_YORK
    )
    assert moment is not None
    start, end = (edge.astimezone(UTC) for edge in moment.range)
    assert end - start == timedelta(hours=23)


def test_hours_ago_are_real_hours() -> None:
    """Hours back cross a change of clocks as hours, days back keep the time of day."""
    at = datetime.fromisoformat("2025-03-09T08:00:00-04:00")
    hours = read_date("12 hours ago", at=at, zone=NEW_YORK)
    days = read_date("1 day ago", at=at, zone=NEW_YORK)
    assert hours is not None
    assert days is not None
    assert hours.at.isoformat() == "2025-03-08T19:00:00-05:00"
    assert days.at.isoformat() == "2025-03-08T08:00:00-05:00"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("15.07 08h30", "%d.%m %Hh%M", ("2025-07-15T08:30:00", "minute")),
        (" 07.08.2025 ", "%m.%d.%Y", ("2025-07-08T00:00:00", "day")),
        ("05.04.2025", "%m.%d.%Y", ("2025-05-04T00:00:00", "day")),
        (
            "2025-07-15T08:30:05+0000",
            "%Y-%m-%dT%H:%M:%S%z",
            ("2025-07-15T08:30:05+00:00", "second"),
        ),
        ("29.02", "%d.%m", ("2024-02-29T00:00:00", "day")),
        ("23h30", "%Hh%M", ("2025-07-14T23:30:00", "minute")),
        ("2025-07-15", "%d.%m.%Y", None),
        ("2025", "%Q", None),
    ],
)
def test_given_format(text: str, form: str, expected: tuple[str, str] | None) -> None:
    """A form of the portal's own is read by it alone; what is missing is completed."""
    assert brief(read(text, form=form)) == expected


INSTANTS = st.datetimes(
    min_value=datetime(1991, 1, 1),  # noqa: DTZ001 - hypothesis wants it naive
    max_value=datetime(2025, 7, 15),  # noqa: DTZ001
).map(lambda moment: moment.replace(microsecond=0))
FORMS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日%H时%M分%S秒",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%B %d, %Y %I:%M:%S %p",
    "%a %b %d %H:%M:%S %Y",
    "发布于 %Y-%m-%d %H:%M:%S 来源：新华网",
]


@given(moment=INSTANTS, form=st.sampled_from(FORMS), hours=st.integers(-12, 14))
@settings(max_examples=400)
def test_inverse(moment: datetime, form: str, hours: int) -> None:
    """What was written in an absolute form reads back as the same instant."""
    local = moment.strftime(form)
    got = read(local, zone=UTC)
    assert got is not None
    assert got.at == moment.replace(tzinfo=UTC)
    zone = timezone(timedelta(hours=hours))
    away = read(moment.replace(tzinfo=zone).isoformat())
    assert away is not None
    assert away.at == moment.replace(tzinfo=zone)


@given(
    text=st.text() | st.text("0123456789-/.:年月日前天小时周上下午 TZ+apm", max_size=40)
)
@settings(max_examples=500)
def test_any_text(text: str) -> None:
    """Any text gives a moment within bounds or None; nothing is raised."""
    moment = read(text)
    assert moment is None or moment.range[0] <= moment.at <= AT + timedelta(days=366)


@pytest.mark.parametrize(
    "text", ["1", "a ", "年", "12:", "一", "2025-", "周", "7月", "昨", "ago "]
)
def test_long_text_takes_no_time(text: str) -> None:
    """A hundred thousand characters are read in a few milliseconds."""
    started = time.monotonic()
    read(text * 100_000)
    assert time.monotonic() - started < 0.1


def fixture_texts(shared: Path) -> list[tuple[str, str, str]]:
    """Give the texts that the fixture portals show, with their instants."""
    manifest = json.loads(
        (shared / "fixtures/portals/fishai-like/manifest.json").read_text("utf-8")
    )
    told = [item["published_relative"] for item in manifest["items"]]
    return [(each["text"], each["resolved"], each["precision"]) for each in told]


def test_fixture_portals(shared: Path) -> None:
    """Each relative time of the reader portal comes out as its manifest states."""
    at = datetime.fromisoformat("2025-07-15T14:00:00+08:00")
    texts = fixture_texts(shared)
    assert len(texts) == 4
    for text, resolved, precision in texts:
        moment = read_date(text, at=at, zone=CHINA)
        assert moment is not None
        assert moment.at == datetime.fromisoformat(resolved)
        assert moment.precision == precision
