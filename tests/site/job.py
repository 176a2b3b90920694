"""One job in a process of its own: a Twisted reactor runs once in each.

``python -m tests.site.job PLAN`` reads a JSON plan and writes what came of it as JSON
to stdout.  The plan: ``config``, ``job`` (crawl, replay, extract), ``portals``, and
where wanted ``limit``, ``listings``, ``clock``, ``run_id``, ``faulty`` (extraction
raises on URLs that hold this text), ``ports`` (only these ports of loopback may be
connected to and no name looked up; what was tried is listed), ``max_file`` (no file may
grow beyond so many bytes: a disk that is full), ``broken`` (the canary finds Scrapy
changed).
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet import tcp
from twisted.internet.base import ThreadedResolver

from crawler import log
from crawler.archive.collection import Collection
from crawler.archive.store import open_store
from crawler.clock import clock_from
from crawler.config.load import load
from crawler.errors import CaptureUnavailable, PortalkeepError
from crawler.jobs import crawl, extract, replay
from crawler.jobs.redaction import redaction_of
from crawler.spiders import canary, context

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawler.clock import Clock
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings

Json = dict[str, Any]


def trap(ports: list[int]) -> list[str]:
    """Let nothing be reached but these ports; return what else will be tried."""
    tried: list[str] = []
    real_connect = tcp.Client.doConnect
    real_lookup = socket.getaddrinfo

    def connect(client: Any) -> object:  # noqa: ANN401 - Twisted's
        host, port = client.realAddress[:2]
        if host != "127.0.0.1" or port not in ports:
            tried.append(f"connect {host}:{port}")
        return real_connect(client)  # type: ignore[no-untyped-call]  # Twisted's

    def lookup(host: Any, *rest: Any, **named: Any) -> object:  # noqa: ANN401
        tried.append(f"getaddrinfo {host}")
        return real_lookup(host, *rest, **named)

    real_resolve = ThreadedResolver.getHostByName

    def resolve(resolver: Any, name: str, *rest: Any) -> object:  # noqa: ANN401
        if name != "127.0.0.1":
            tried.append(f"resolve {name}")
            raise RuntimeError(name)
        return real_resolve(resolver, name, *rest)

    tcp.Client.doConnect = connect  # type: ignore[method-assign]
    socket.getaddrinfo = lookup  # type: ignore[assignment]
    ThreadedResolver.getHostByName = resolve  # type: ignore[assignment,method-assign]
    return tried


def make_faulty(text: str) -> None:
    """Let extraction fail in a way nobody expects on URLs that hold text."""
    real = vars(context)["extract"]

    def extract_or_fail(capture: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        if text in capture.main.url:
            raise ZeroDivisionError(text)
        return real(capture, *args, **named)

    vars(context)["extract"] = extract_or_fail


def sing() -> None:
    """Find Scrapy changed."""
    raise CaptureUnavailable("Scrapy is not as it was")


def run_crawl(
    settings: Settings, portals: list[Portal], clock: Clock, plan: Json
) -> Json:
    """Crawl and return each portal's result."""
    limit, only = plan.get("limit"), plan.get("listings", ())
    results = crawl.crawl(settings, portals, clock, limit=limit, listings=only)
    return {
        result.portal: {
            "run_id": result.run_id,
            "exit_code": result.exit_code,
            "message": result.message,
            "counts": result.counts,
            "run": result.run.model_dump(mode="json") if result.run else None,
        }
        for result in results
    }


def run_replay(
    settings: Settings, portals: list[Portal], clock: Clock, plan: Json
) -> Json:
    """Replay one portal's run."""
    (portal,) = portals
    given = replay.replay(
        _collection(settings),
        portal,
        _selection(plan),
        clock,
        redaction=redaction_of(portal, settings),
    )
    return {
        "run_id": given.run_id,
        "items": [item.model_dump(mode="json") for item in given.items],
        "misses": list(given.misses),
        "differences": [asdict(one) for one in given.differences],
        "counts": given.counts,
    }


def run_extract(
    settings: Settings, portals: list[Portal], clock: Clock, plan: Json
) -> Json:
    """Extract one portal's captures again."""
    (portal,) = portals
    tally = extract.Tally()
    chosen, collection = _selection(plan), _collection(settings)
    made = {
        (item.id, item.revision): item
        for item in extract.extract_runs(collection, portal, chosen, clock, tally)
    }
    stored = extract.stored_items(collection, portal, chosen)
    found = [
        asdict(one)
        for key in stored.keys() | made.keys()
        for one in extract.differences(stored, made.get(key), key)
    ]
    return {
        "items": [item.model_dump(mode="json") for item in made.values()],
        "differences": found,
        "rejected": tally.rejected,
        "misses": tally.misses,
    }


def _collection(settings: Settings) -> Collection:
    return Collection(open_store(settings.store))


def _selection(plan: Json) -> extract.Selection:
    return extract.Selection(run_id=plan.get("run_id"))


JOBS: dict[str, Callable[[Settings, list[Portal], Clock, Json], Json]] = {
    "crawl": run_crawl,
    "replay": run_replay,
    "extract": run_extract,
}


def main(plan_file: str) -> None:
    """Do what the plan says."""
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    log.configure()
    tried = trap(plan["ports"]) if "ports" in plan else []
    if "max_file" in plan:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan["max_file"],) * 2)
    if plan.get("broken"):
        vars(canary)["check"] = sing
    if "faulty" in plan:
        make_faulty(plan["faulty"])
    try:
        settings = load(Path(plan["config"]), environment=os.environ).settings
        names = plan.get("portals") or [portal.id for portal in settings.portals]
        portals = [portal for portal in settings.portals if portal.id in names]
        clock = clock_from(plan.get("clock"))
        answer = JOBS[plan["job"]](settings, portals, clock, plan)
    except PortalkeepError as exc:
        answer = {"error": type(exc).__name__, "exit_code": exc.exit_code}
        answer["message"] = str(exc)
    sys.stdout.write(json.dumps({"answer": answer, "tried": tried}))


if __name__ == "__main__":
    main(sys.argv[1])
