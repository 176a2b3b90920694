"""The textfile for Prometheus: its exact text, and that no reader meets a half."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.config.settings import MetricsSettings, Settings, SpoolSettings
from crawler.jobs.timing.metrics import Outcome, note, text_of

AT = datetime(2025, 7, 15, 6, 0, 0, 250_000, tzinfo=UTC)
WHOLE = """\
# HELP portalkeep_last_success_timestamp_seconds When a crawl last ended with 0.
# TYPE portalkeep_last_success_timestamp_seconds gauge
portalkeep_last_success_timestamp_seconds{portal="harbour"} 1752559200.25
# HELP portalkeep_last_run_timestamp_seconds When the last crawl ended.
# TYPE portalkeep_last_run_timestamp_seconds gauge
portalkeep_last_run_timestamp_seconds{portal="beacon"} 1752645600.25
portalkeep_last_run_timestamp_seconds{portal="harbour"} 1752559200.25
# HELP portalkeep_last_run_exit_code Of the last crawl; -1: it was killed.
# TYPE portalkeep_last_run_exit_code gauge
portalkeep_last_run_exit_code{portal="beacon"} 4
portalkeep_last_run_exit_code{portal="harbour"} 0
# HELP portalkeep_last_run_items Items of the last crawl.
# TYPE portalkeep_last_run_items gauge
portalkeep_last_run_items{portal="beacon",change="new"} 0
portalkeep_last_run_items{portal="beacon",change="revised"} 0
portalkeep_last_run_items{portal="harbour",change="new"} 1234567
portalkeep_last_run_items{portal="harbour",change="revised"} 2
# HELP portalkeep_last_run_pages_failed Pages that failed in the last crawl.
# TYPE portalkeep_last_run_pages_failed gauge
portalkeep_last_run_pages_failed{portal="beacon"} 9
portalkeep_last_run_pages_failed{portal="harbour"} 0
# HELP portalkeep_newest_item_timestamp_seconds When the newest item was published.
# TYPE portalkeep_newest_item_timestamp_seconds gauge
portalkeep_newest_item_timestamp_seconds{portal="harbour"} 1752555600.25
"""
LINE = re.compile(
    r"# (HELP|TYPE) portalkeep_\w+ .+|portalkeep_\w+\{portal=\"\w+\".*\} -?\d+"
)


def settings(place: Path) -> Settings:
    """Return settings with spool and textfile in a place."""
    return Settings(
        spool=SpoolSettings(path=str(place / "spool")),
        metrics=MetricsSettings(textfile=str(place / "out" / "portalkeep.prom")),
    )


def test_text_is_as_prometheus_reads_it() -> None:
    """Each metric has its help and type once; what is not known has no line."""
    harbour = Outcome("harbour", AT, 0, AT, 1_234_567, 2, 0, AT - timedelta(hours=1))
    beacon = Outcome("beacon", AT + timedelta(days=1), 4, None, 0, 0, 9)
    assert text_of([harbour, beacon]) == WHOLE
    assert text_of([]) == ""


def test_success_is_remembered_through_failures(tmp_path: Path) -> None:
    """After a failure the last success stays; a crawl that met another is none."""
    given, later = settings(tmp_path), AT + timedelta(hours=1)
    note(given, "harbour", 0, {"items:new": 3}, AT)
    note(given, "harbour", None, {"failed": 1}, later)
    note(given, "harbour", 75, {}, later + timedelta(hours=1))
    lines = (tmp_path / "out" / "portalkeep.prom").read_text().splitlines()
    assert (
        'portalkeep_last_success_timestamp_seconds{portal="harbour"} 1752559200.25'
        in lines
    )
    assert (
        'portalkeep_last_run_timestamp_seconds{portal="harbour"} 1752562800.25' in lines
    )
    assert 'portalkeep_last_run_exit_code{portal="harbour"} -1' in lines
    assert 'portalkeep_last_run_pages_failed{portal="harbour"} 1' in lines


def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    """Crawls that end together lose nothing of each other, and leave no other file."""
    given = settings(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        for n in range(24):
            pool.submit(note, given, f"portal{n}", 0, {}, AT)
    (path,) = (tmp_path / "out").iterdir()
    lines = path.read_text().splitlines()
    assert all(LINE.match(line) for line in lines)
    assert sum("exit_code{" in line for line in lines) == 24
    assert path.stat().st_mode & 0o777 == 0o644


def test_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A place that cannot be written to is a warning; the outcome is kept."""
    (tmp_path / "out").write_text("a file where a directory should be")
    note(settings(tmp_path), "harbour", 0, {}, AT)
    (tmp_path / "out").unlink()
    note(settings(tmp_path), "beacon", 0, {}, AT)
    assert "harbour" in (tmp_path / "out" / "portalkeep.prom").read_text()
