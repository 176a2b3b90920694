from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.cli import main as module
from crawler.cli.crawl import worst
from crawler.cli.output import clean, size
from crawler.cli.values import day, moment
from crawler.errors import UsageError
from tests.cli.program import ROOT, Program

BASE = "http://127.0.0.1:9"


def test_missing_configuration_says_where_it_looked(program: Program) -> None:
    """Without a file the command ends with 3 and says what to do next."""
    ended = program("status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("portalkeep: no archive_config.yaml in ")
    assert "portalkeep --config FILE" in ended.err
    assert "portalkeep demo" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("way", ["option", "environment"])
def test_named_configuration_that_is_missing(program: Program, way: str) -> None:
    """A file that an option or the environment names, and is not there, is told."""
    option = ("--config", "none.yaml") if way == "option" else ()
    if way == "environment":
        program.environment["PORTALKEEP_CONFIG"] = "none.yaml"
    ended = program(*option, "status")
    assert ended.code == 3
    assert "'none.yaml'" in ended.err
    assert ("PORTALKEEP_CONFIG" in ended.err) == (way == "environment")


def test_broken_configuration_names_file_and_line(program: Program) -> None:
    """What is wrong with the configuration is told with its place."""
    program.config.write_text("version: 1\nstorr: {}\n", "utf-8")
    ended = program("config", "check")
    assert (ended.code, ended.out) == (3, "")
    assert "archive_config.yaml:2:1" in ended.err
    assert "Traceback" not in ended.err


def test_configuration_without_portals(program: Program) -> None:
    """Nothing can be crawled where no portal is configured."""
    program.config.write_text("version: 1\n", "utf-8")
    assert program("crawl").code == 3
    assert program("config", "check").out == "ok: 0 portals\n"


def test_clock_that_is_none(program: Program) -> None:
    """A clock setting that is no time is a configuration error."""
    program.configure(BASE)
    ended = program("crawl", clock="noon")
    assert ended.code == 3
    assert "PORTALKEEP_CLOCK" in ended.err


USAGE = [
    pytest.param(("crawl", "harbor"), "did you mean 'harbour'?", id="portal"),
    pytest.param(("items", "harbor"), "did you mean 'harbour'?", id="items"),
    pytest.param(("verify", "harbor"), "did you mean 'harbour'?", id="verify"),
    pytest.param(("crwl",), "Did you mean 'crawl'?", id="verb"),
    pytest.param(("crawl", "--limt", "3"), "--limit", id="option"),
    pytest.param(("crawl", "--limit", "0"), "--limit", id="range"),
    pytest.param(("items", "--since", "today"), "'today' is no time", id="time"),
    pytest.param(("items", "--kind", "poem"), "poem", id="choice"),
    pytest.param(
        ("replay", "harbour", "--from", "7/15"), "'7/15' is no date", id="date"
    ),
    pytest.param(
        ("replay", "harbour", "--run", "x", "--to", "2025-07-15"), "--run", id="both"
    ),
    pytest.param(("replay", "harbour"), "crawl harbour", id="nothing stored"),
    pytest.param(
        ("show", "https://a.example/", "--headers", "--payload"), "one of", id="modes"
    ),
    pytest.param(("show", "https://a.example/"), "no capture of", id="no capture"),
    pytest.param(("verify", "20250715060000cabcdef"), "no committed run", id="no run"),
    pytest.param(("verify", "none.warc.gz"), "cannot be read", id="no file"),
    pytest.param(("try", "page.html"), "--url", id="file without url"),
    pytest.param(("try", "https://a.example/1"), "--portal", id="no portal for it"),
    pytest.param(
        ("try", "archive_config.yaml", "--url", f"{BASE}/about"),
        "item rule",
        id="no rule",
    ),
]


@pytest.mark.parametrize(("args", "said"), USAGE)
def test_usage_errors_end_with_2(
    program: Program,
    args: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be asked for ends with 2, says why on stderr, and nothing else."""
    program.configure(BASE)
    monkeypatch.chdir(program.directory)
    monkeypatch.delenv("PORTALKEEP_CONFIG", raising=False)
    assert module.run(list(args)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert not (program.directory / "data").exists()


def test_error_of_ours_is_one_line(program: Program) -> None:
    """An error is a line that begins with the command's name."""
    program.configure(BASE)
    ended = program("crawl", "harbor")
    assert ended.err == (
        "portalkeep: there is no portal 'harbor'; did you mean 'harbour'?; "
        "there are: harbour\n"
    )


def test_spool_that_cannot_be_written_ends_with_5(program: Program) -> None:
    """A spool that is in the way of a file stops the crawl before it starts."""
    program.configure(BASE)
    (program.directory / "data").mkdir()
    (program.directory / "data" / "spool").write_text("in the way", "utf-8")
    ended = program("crawl")
    assert ended.code == 5
    assert "cannot be written" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((), 0),
        ((0, 0), 0),
        ((0, 75), 75),
        ((75, 4), 4),
        ((4, 7), 7),
        ((7, 5), 5),
        ((5, 6), 6),
        ((6, 2), 2),
        ((2, 3), 3),
        ((3, 1), 1),
        ((0, 99), 1),
    ],
)
def test_worst_exit_code(codes: tuple[int, ...], code: int) -> None:
    """Of several portals the exit code that says most is the command's."""
    assert worst(codes) == code


def fails(error: BaseException) -> Callable[[], None]:
    """Return a verb that fails so."""

    def verb() -> None:
        """Fail."""
        raise error

    return verb


def run_failing(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, *options: str
) -> int:
    """Run the command with one verb, which fails."""
    verbs = (module.Verb("fail", fails(error), "portalkeep fail"),)
    monkeypatch.setattr(module, "VERBS", verbs)
    return module.run([*options, "fail"])


def test_bug_is_said_without_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What we did not foresee ends with 1 and two lines; -v shows the traceback."""
    assert run_failing(monkeypatch, ZeroDivisionError("by zero")) == 1
    short = capsys.readouterr().err
    assert "this is a bug: ZeroDivisionError: by zero" in short
    assert "Traceback" not in short
    assert run_failing(monkeypatch, ZeroDivisionError("by zero"), "-v") == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_ends_with_7(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in any verb ends with 7."""
    assert run_failing(monkeypatch, KeyboardInterrupt()) == 7
    assert "interrupted" in capsys.readouterr().err


def test_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """A closed pipe ends the command quietly, with 128 + SIGPIPE."""
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "crawler.cli", "config", "schema"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_terminal_is_not_obeyed() -> None:
    """Control characters and direction marks of a page never reach a terminal."""
    assert clean("a\x1b[2Jb\r\u202ec\n\td") == "a\ufffd[2Jb\ufffd\ufffdc\n\td"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2 * 10**9, "2.0 GB")],
)
def test_sizes(count: int, text: str) -> None:
    """Sizes are shown in decimal units."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-07-15", "2025-07-15T00:00:00+00:00"),
        ("2025-07-15T14:00:00+08:00", "2025-07-15T06:00:00+00:00"),
        ("20250715060000", "2025-07-15T06:00:00+00:00"),
        ("2025", "2025-01-01T00:00:00+00:00"),
    ],
)
def test_moments(text: str, shown: str) -> None:
    """Times are ISO, or the digits of a timestamp; without an offset UTC."""
    at = moment(text, "--at")
    assert at is not None
    assert at.isoformat() == shown


def test_days() -> None:
    """Days are ISO dates; none is none."""
    found = day("2025-07-15", "--from")
    assert found is not None
    assert found.isoformat() == "2025-07-15"
    assert day(None, "--from") is None
    with pytest.raises(UsageError, match="--from"):
        day("15.7.", "--from")


def test_config_verbs_write_data_to_stdout(program: Program) -> None:
    """Check, show, schema and the list of portals are data on stdout."""
    program.configure(BASE)
    assert program("portals", "check").out == "ok: 1 portal\n"
    assert json.loads(program("--json", "config", "check").out)["portals"] == 1
    shown = program("config", "show", "harbour")
    assert "id: harbour" in shown.out
    assert shown.err == ""
    resolved = json.loads(program("--json", "config", "show").out)
    assert resolved[0]["portal"]["id"] == "harbour"
    assert "properties" in json.loads(program("config", "schema").out)
    assert "harbour" in program("portals", "list").out
    listed = json.loads(program("--json", "portals", "list").out)
    assert listed[0]["listings"] == ["news"]
