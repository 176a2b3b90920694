"""`run-due` and `schedule`, as processes: slots, stops, files that call them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from crawler.errors import SpoolUnwritable
from crawler.jobs.looking.status import open_runs
from tests.cli.program import Ended, Program, pages, serving
from tests.jobs.test_ping import listening

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE = "2025-07-15T10:00:00Z;frozen"
DUE = "2025-07-16T04:31:00Z;frozen"
SCHEDULE = "{cron: 30 6 * * *, timezone: Europe/Berlin"


@pytest.fixture
def base() -> Iterator[str]:
    """Give the small portal, slow enough to be met while it is crawled."""
    with serving(pages(), delay_s=0.1) as served:
        yield served


def configure(program: Program, base: str, more: str = "", delay: str = "0s") -> None:
    """Write the configuration of the portal at base, with a schedule."""
    program.configure(base, delay=delay)
    text = program.config.read_text("utf-8")
    program.config.write_text(f"{text}    schedule: {SCHEDULE}{more}}}\n", "utf-8")


def rows(ended: Ended) -> list[dict[str, object]]:
    """Return what a call wrote as JSON."""
    found: list[dict[str, object]] = json.loads(ended.out)
    return found


def runs(program: Program) -> list[str]:
    """Return the ids of the closed runs."""
    folder = program.directory / "data/store/runs/harbour"
    return sorted(path.stem for path in folder.glob("*.json"))


def finished(process: subprocess.Popen[str]) -> Ended:
    """Wait for a call that was started."""
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, out, err)


def test_two_calls_at_once_start_a_slot_once(program: Program, base: str) -> None:
    """Nothing is due before its time; then two processes start one crawl together."""
    configure(program, base)
    before = program("--json", "run-due", clock=BEFORE)
    assert (before.code, rows(before)) == (0, [])
    told = program("--json", "run-due", "--dry-run", clock=DUE)
    assert [row["planned_at"] for row in rows(told)] == ["2025-07-16T04:30:00+00:00"]
    assert runs(program) == []

    calls = [program.start("--json", "run-due", clock=DUE) for _ in range(2)]
    both = [finished(call) for call in calls]
    assert [call.code for call in both] == [0, 0], both[0].err + both[1].err
    (started,) = [row for call in both for row in rows(call)]
    assert (started["state"], started["exit_code"]) == ("ended", 0)
    assert [started["run_id"]] == runs(program)
    counts = started["counts"]
    assert isinstance(counts, dict)
    assert counts["items:new"] == 3

    again = program("--json", "run-due", clock=DUE)
    assert (again.code, rows(again), len(runs(program))) == (0, [], 1)
    (shown,) = rows(program("--json", "schedule", "list", clock=DUE))
    last = shown["last"]
    assert isinstance(last, dict)
    assert (last["state"], last["exit_code"]) == ("ended", 0)
    assert last["run_id"] == started["run_id"]
    assert shown["next"] == "2025-07-17T04:30:00+00:00"


def has_visited(spool: Path) -> bool:
    """Tell whether a run is open that has visited something."""
    try:
        return any(run.counts for run in open_runs(spool, "harbour"))
    except SpoolUnwritable:  # it is only being made
        return False


def test_ctrl_c_leaves_what_the_next_call_goes_on_with(
    program: Program, base: str
) -> None:
    """Stopped in the middle it ends with 7; the same call takes slot and run again."""
    configure(program, base, delay="0.7s")
    program("run-due", clock=BEFORE)
    call = program.start("run-due", clock=DUE)
    spool = program.directory / "data/spool"
    give_up_s = time.monotonic() + 30
    while not has_visited(spool):
        assert time.monotonic() < give_up_s
        time.sleep(0.05)  # a poll with a bound
    call.send_signal(signal.SIGINT)
    stopped = finished(call)
    assert stopped.code == 7, stopped.err
    assert runs(program) == []
    ended = program("--json", "run-due", clock=DUE)
    assert ended.code == 0, ended.err
    (started,) = rows(ended)
    assert started["slots"][0]["again"]  # type: ignore[index]  # JSON
    assert runs(program) == [started["run_id"]]


def test_start_and_end_are_told(program: Program, base: str) -> None:
    """A scheduled crawl is pinged at both ends, and counted for Prometheus."""
    with listening() as (service, told):
        program.environment["PING"] = f"{service}/0af3secret"
        configure(program, base, ", ping: '${PING}'")
        text = program.config.read_text("utf-8")
        program.config.write_text(f"metrics: {{textfile: out.prom}}\n{text}")
        ended = program("-v", "schedule", "run", "harbour", clock=DUE)
    assert ended.code == 0, ended.err
    assert [path for path, _ in told] == ["/0af3secret/start", "/0af3secret/0"]
    assert "items:new: 3" in told[1][1]
    assert "0af3secret" not in ended.err
    (stored,) = (program.directory / "data/store").rglob("runs/**/*.json")
    assert "0af3secret" not in stored.read_text()
    lines = (program.directory / "out.prom").read_text().splitlines()
    assert 'portalkeep_last_run_items{portal="harbour",change="new"} 3' in lines
    at = "1752456600"  # 2025-07-14 09:30 in Shanghai
    assert f'portalkeep_newest_item_timestamp_seconds{{portal="harbour"}} {at}' in lines


def test_run_starts_outside_the_plan(program: Program, base: str) -> None:
    """A scheduled crawl can be started by hand; the plan goes on as it was."""
    configure(program, base)
    program("run-due", clock=BEFORE)
    ended = program("--json", "schedule", "run", "harbour", clock=BEFORE)
    assert (ended.code, len(runs(program))) == (0, 1), ended.err
    (due,) = rows(program("--json", "run-due", "--dry-run", clock=DUE))
    assert due["missed"] == 0


def test_explain_shows_five_starts_in_both_zones(program: Program) -> None:
    """The next starts stand in the schedule's zone and in UTC, over a clock change."""
    configure(program, "http://127.0.0.1:1")
    clock = "2025-10-23T10:00:00Z;frozen"
    ended = program("schedule", "explain", clock=clock)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "harbour: '30 6 * * *' in Europe/Berlin",
        "  walks news; overlap: skip, catch_up: once, jitter up to 0 s, no max_runtime",
        "  Fri 2025-10-24 06:30:00 +0200   2025-10-24 04:30:00Z",
        "  Sat 2025-10-25 06:30:00 +0200   2025-10-25 04:30:00Z",
        "  Sun 2025-10-26 06:30:00 +0100   2025-10-26 05:30:00Z",
        "  Mon 2025-10-27 06:30:00 +0100   2025-10-27 05:30:00Z",
        "  Tue 2025-10-28 06:30:00 +0100   2025-10-28 05:30:00Z",
    ]
    (shown,) = rows(program("--json", "schedule", "explain", clock=clock))
    starts = shown["starts"]
    assert isinstance(starts, list)
    assert [x["start_at"][:16] for x in starts[1:3]] == [
        "2025-10-25T04:30",
        "2025-10-26T05:30",
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("schedule", "export", "upstart"), "systemd, cron, k8s"),
        (("schedule", "export", "cron", "--every", "7"), "--every: 1, 2"),
        (("schedule", "run", "harbour", "--listing", "news"), "no schedule of its own"),
        (("run-due", "harbor"), "did you mean 'harbour'?"),
    ],
)
def test_wrong_calls(program: Program, args: tuple[str, ...], said: str) -> None:
    """A call that cannot be meant is a usage error with its reason."""
    configure(program, "http://127.0.0.1:1")
    ended = program(*args)
    assert (ended.code, said in ended.err) == (2, True), ended.err


def test_portal_without_schedule_is_told(program: Program) -> None:
    """Naming a portal that has no schedule is a mistake; having none is not."""
    program.configure("http://127.0.0.1:1")
    assert program("run-due").code == 0
    ended = program("run-due", "harbour")
    assert (ended.code, "has no schedule" in ended.err) == (2, True)


def exported(program: Program, kind: str) -> dict[str, str]:
    """Return the files of an export, which are written to a directory, too."""
    ended = program("--json", "schedule", "export", kind, "-o", "units")
    assert ended.code == 0, ended.err
    files: dict[str, str] = json.loads(ended.out)["files"]
    written = {
        path.name: path.read_text()
        for path in Path(program.directory, "units").iterdir()
    }
    assert written == files
    return files


def test_systemd_takes_the_units(program: Program) -> None:
    """The units say what the issue of missed starts needs, and systemd reads them."""
    configure(program, "http://127.0.0.1:1")
    files = exported(program, "systemd")
    timer, service = (
        files["portalkeep-run-due@.timer"],
        files["portalkeep-run-due@.service"],
    )
    assert {"OnCalendar=*:0/5", "Persistent=true", "RandomizedDelaySec=30"} <= set(
        timer.splitlines()
    )
    assert f"WorkingDirectory={program.directory}" in service
    assert f"--config {program.config} run-due %i" in service
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    units = program.directory / "units"
    paths = [units / f"portalkeep-run-due@harbour.{x}" for x in ("timer", "service")]
    for path in paths:
        shutil.copy(units / path.name.replace("harbour", ""), path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_crontab_is_one_line_that_a_shell_runs(program: Program, base: str) -> None:
    """The crontab's command is one that a shell can run; it starts what is due."""
    configure(program, base)
    program("run-due", clock=BEFORE)
    (text,) = exported(program, "cron").values()
    (line,) = [x for x in text.splitlines() if not x.startswith("#")]
    found = re.fullmatch(r"\*/5 \* \* \* \* (.+)", line)
    assert found is not None
    shell = subprocess.run(
        ["/bin/sh", "-c", found[1].replace("\\%", "%")],
        cwd="/",
        timeout=60,
        check=False,
        env={**environment(), "PORTALKEEP_CLOCK": DUE},
    )
    log = (program.directory / "run-due.log").read_text()
    assert shell.returncode == 0, log
    assert "harbour: ended, exit code 0" in log
    assert len(runs(program)) == 1


def environment() -> dict[str, str]:
    """Return what cron gives to its commands, and where this checkout is."""
    root = Path(__file__).parents[2]
    return {"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "PYTHONPATH": str(root)}


def test_kubernetes_cron_jobs(program: Program) -> None:
    """Each portal has a CronJob that never overlaps and ends in bounded time."""
    configure(program, "http://127.0.0.1:1", ", max_runtime: 2h")
    (text,) = exported(program, "k8s").values()
    volume, job = YAML(typ="safe", pure=True).load_all(text)
    assert volume["kind"] == "PersistentVolumeClaim"
    assert (job["kind"], job["apiVersion"]) == ("CronJob", "batch/v1")
    assert job["metadata"]["name"] == "portalkeep-harbour"
    spec = job["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("*/5 * * * *", "Forbid")
    assert spec["startingDeadlineSeconds"] == 300
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 7200 + 600
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    args = ["--config", "/config/archive_config.yaml", "run-due", "harbour"]
    assert container["args"] == args
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    volumes = spec["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert mounted == {volume["name"] for volume in volumes}
