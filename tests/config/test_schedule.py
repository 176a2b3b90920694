"""Crons in time zones: which starts they come to, and which cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.config.digest import resolved
from crawler.config.load import load
from crawler.config.schedule import Timetable, cron_fault
from crawler.errors import ConfigError

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
PORTAL = """\
portals:
  - id: harbour
    listings:
      - {id: news, from: feed, url: "https://h.example/feed"}
    items: [{match: ^/a/, title: h1}]
    schedule:
"""


def starts(cron: str, zone: str, after: str, count: int) -> list[str]:
    """Return the starts after a local time, as local times with their offset."""
    begin = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = islice(Timetable(cron, zone).after(begin), count)
    local = (at.astimezone(ZoneInfo(zone)) for at in found)
    return [f"{at:%m-%d %H:%M%z}"[:-2] for at in local]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # skipped: at the end of the gap, once
        ("30 2 * * *", BERLIN, "2025-03-29", "03-29 02:30+01, 03-30 03:00+02"),
        ("0,30 2 * * *", BERLIN, "2025-03-30", "03-30 03:00+02, 03-31 02:00+02"),
        ("0 2,3 * * *", BERLIN, "2025-03-30", "03-30 03:00+02, 03-31 02:00+02"),
        ("30 2 * * *", NEW_YORK, "2025-03-09", "03-09 03:00-04, 03-10 02:30-04"),
        # repeated: at the first of both, once
        ("30 2 * * *", BERLIN, "2025-10-26", "10-26 02:30+02, 10-27 02:30+01"),
        ("30 1 * * *", NEW_YORK, "2025-11-02", "11-02 01:30-04, 11-03 01:30-05"),
        # by real time where a field begins with *
        (
            "*/30 * * * *",
            BERLIN,
            "2025-03-30 01:15",
            "03-30 01:30+01, 03-30 03:00+02, 03-30 03:30+02",
        ),
        (
            "*/30 * * * *",
            BERLIN,
            "2025-10-26 01:45",
            "10-26 02:00+02, 10-26 02:30+02, 10-26 02:00+01, 10-26 02:30+01",
        ),
        (
            "0 * * * *",
            NEW_YORK,
            "2025-11-02 00:30",
            "11-02 01:00-04, 11-02 01:00-05, 11-02 02:00-05",
        ),
        # nothing special
        ("0 6 * * 1-5", "Asia/Shanghai", "2025-07-18 12:00", "07-21 06:00+08"),
        ("@weekly", "UTC", "2025-07-15", "07-20 00:00+00, 07-27 00:00+00"),
        ("0 0 29 2 *", "UTC", "2025-01-01", "02-29 00:00+00"),
    ],
)
def test_starts(cron: str, zone: str, after: str, expected: str) -> None:
    """A start at a skipped or repeated local time is where the stated rule puts it."""
    listed = expected.split(", ")
    assert starts(cron, zone, after, len(listed)) == listed


def test_in_the_second_of_two_hours_the_first_is_over() -> None:
    """Asked in the repeated hour, a cron that started in the first is due next day."""
    second = datetime(2025, 10, 26, 2, 10, tzinfo=ZoneInfo(BERLIN), fold=1)
    found = next(Timetable("30 2 * * *", BERLIN).after(second.astimezone(UTC)))
    assert found == datetime(2025, 10, 27, 1, 30, tzinfo=UTC)


@given(
    st.sampled_from(["30 2 * * *", "*/15 * * * *", "0 */6 * * *", "5 1-3 * * *"]),
    st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001 - made aware below
    st.integers(0, 30 * 60),
)
@settings(max_examples=60, deadline=None)
def test_newest_is_the_last_of_those_after(
    cron: str, zone: str, begin: datetime, minutes: int
) -> None:
    """Looking back finds what going forward comes to last, whatever the clocks do."""
    table, after = Timetable(cron, zone), begin.replace(tzinfo=UTC)
    until = after + timedelta(minutes=minutes)
    passed = []
    for at in table.after(after):
        if at > until:
            break
        passed.append(at)
    assert passed == sorted(set(passed))
    assert table.newest(after, until) == (passed[-1] if passed else None)
    if passed:
        assert table.count(after, passed[-1], 10**6) == len(passed) - 1


def test_years_are_looked_over_quickly() -> None:
    """The newest start is found without going over all that were missed."""
    long_ago, now = datetime(2005, 1, 1, tzinfo=UTC), datetime(2025, 7, 15, tzinfo=UTC)
    began = monotonic()
    assert Timetable("* * * * *", BERLIN).newest(long_ago, now) == now
    leap = Timetable("0 0 29 2 *", "UTC").newest(long_ago, now)
    assert leap == datetime(2024, 2, 29, tzinfo=UTC)
    assert Timetable("* * * * *", "UTC").count(long_ago, now, 1000) == 1000
    assert monotonic() - began < 2


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("* * */20 * 1L", "never fires"),
        ("0 0 32 1 *", "day-of-month"),
        ("60 * * * *", "minute"),
        ("* * * *", "five fields"),
        ("0 * * * * *", "five fields"),
        ("@reboot", "five fields"),
        ("", "five fields"),
        ("9" * 5000 + " * * * *", "no cron"),
        ("5-1 * * * *", "minute"),
        ("0 0 30 2 1", None),  # day of month or of week
        ("0 9 * * MON#1", None),
        ("0 9 L * *", None),
    ],
)
def test_cron_that_cannot_be_used(cron: str, said: str | None) -> None:
    """A cron that is none, or that never fires, has its reason."""
    fault = cron_fault(cron)
    assert (fault is None) == (said is None)
    assert said is None or said in str(fault)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("{cron: 0 0 30 2 *}", "c.yaml:7:14:", "never fires"),
        ("0 0 30 2 *", "c.yaml:7:7:", "never fires"),
        ("{cron: 0 6 * * *, timezone: Europe/Berln}", "c.yaml:7:35:", "mean 'Europe/B"),
        ("{cron: 0 * * * *, jitter: 1h}", "c.yaml:7:33:", "reaches the next start"),
        ("{cron: 0 6 * * *, overlap: wait}", "c.yaml:7:34:", "none of skip, queue"),
        ("{cron: 0 6 * * *, max_runtime: 0s}", "c.yaml:7:38:", "max_runtime"),
        ("{cron: 0 6 * * *, ping: 'http://p.example/x'}", "c.yaml:7:31:", "${NAME}"),
        ("{cron: 0 6 * * *, ping: '${PING}'}", "c.yaml:7:31:", "no http address"),
        ("{corn: 0 6 * * *}", "c.yaml:7:8:", "mean 'cron'?"),
    ],
)
def test_broken_schedule_names_its_place(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    """What is wrong with a schedule is told with file and line, and no secret."""
    path = tmp_path / "c.yaml"
    path.write_text(f"{PORTAL}      {text}\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, environment={"PING": "gopher://someone"})
    assert f"{place}" in str(caught.value)
    assert said in str(caught.value)
    assert "someone" not in str(caught.value)


def test_schedule_of_no_listing_is_an_error(tmp_path: Path) -> None:
    """A portal's schedule is of listings without their own; there must be one."""
    path = tmp_path / "c.yaml"
    text = PORTAL.replace('/feed"}', "/feed\", schedule: '@hourly'}")
    path.write_text(f"{text}      '@daily'\n", "utf-8")
    with pytest.raises(ConfigError, match=r"c\.yaml:7:7: 'schedule': each listing"):
        load(path, environment={})


def test_ping_is_a_secret(tmp_path: Path) -> None:
    """What is told of runs is known as a secret, and not stored with a run."""
    path = tmp_path / "c.yaml"
    path.write_text(PORTAL + "      {cron: '@daily', ping: '${PING}'}\n", "utf-8")
    whole = load(path, environment={"PING": "https://p.example/0af3"}).settings
    assert "https://p.example/0af3" in whole.secrets
    (portal,) = whole.portals
    assert portal.schedule is not None
    assert portal.schedule.ping == "https://p.example/0af3"
    assert "0af3" not in str(resolved(portal, whole)) + repr(portal)
