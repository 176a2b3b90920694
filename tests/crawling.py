"""Help for tests that crawl: write a configuration, run a job in a child, read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.archive.collection import Collection
from crawler.archive.spool import FILE, open_database
from crawler.archive.store import LocalStore
from crawler.jobs.extract import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crawler.archive import manifest
    from crawler.item import Item
    from crawler.warc.member import ParsedRecord

ROOT = Path(__file__).resolve().parents[1]
Json = dict[str, Any]
QUICK: Json = {
    "delay": "0s",
    "retry_delay": "0.02s",
    "timeout": "5s",
    "rest": "0.05s",
    "per_host": 8,
    "allow_private": True,
}
RULE: Json = {"match": "^/item/", "title": "h1", "body": ".body"}
ROWS: Json = {
    "id": "latest",
    "from": "rows",
    "rows": "li.row",
    "fields": {"url": "a::attr(href)"},
    "next": {"url": "css:a[rel=next]::attr(href)"},
}


def portal(base: str, name: str = "harbour", **changes: Any) -> Json:  # noqa: ANN401 - JSON
    """Return a portal with one listing at /latest; changes replace whole keys."""
    rules: Json = {
        "id": name,
        "timezone": "UTC",
        "crawl": {**QUICK, **changes.pop("crawl", {})},
        "listings": [{**ROWS, "url": f"{base}/latest", **changes.pop("listing", {})}],
        "items": [RULE],
        "expect": {"max_failures": 1},
    }
    return {**rules, **changes}


@dataclass(frozen=True)
class Ran:
    """A job that ended.

    Attributes:
        answer: what it gave, see ``tests.site.job``.
        tried: connections and look-ups that the trap saw.
    """

    answer: Json
    tried: list[str]
    stderr: str

    def of(self, name: str = "harbour") -> Json:
        """Return the result of one portal's crawl."""
        result: Json = self.answer[name]
        return result


@dataclass
class Workplace:
    """A configuration with its store and spool in a directory.

    Attributes:
        settings: top-level keys of the configuration.
        environment: of the children.
    """

    directory: Path
    portals: list[Json] = field(default_factory=list)
    settings: Json = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    config_file: Path | None = None

    @property
    def config(self) -> Path:
        """The configuration's file, written as it now is."""
        if self.config_file is not None:
            return self.config_file
        whole = {
            "version": 1,
            "store": {"url": str(self.directory / "store")},
            "spool": {"path": str(self.directory / "spool")},
            **self.settings,
            "portals": self.portals,
        }
        path = self.directory / "archive_config.yaml"
        path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
        return path

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment of a child, with store and spool for any config."""
        places = {
            "PORTALKEEP_STORE__URL": str(self.directory / "store"),
            "PORTALKEEP_SPOOL__PATH": str(self.directory / "spool"),
        }
        own = places if self.config_file is not None else {}
        outer = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PORTALKEEP_")
        }
        return {**outer, **own, **self.environment}

    def start(self, job: str, **plan: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - JSON
        """Start a job in a child."""
        plan = {"config": str(self.config), "job": job, **plan}
        path = self.directory / f"plan-{job}.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, "-m", "tests.site.job", str(path)],
            cwd=ROOT,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, job: str, timeout_s: float = 60, **plan: Any) -> Ran:  # noqa: ANN401 - JSON
        """Run a job to its end."""
        child = self.start(job, **plan)
        return ended(child, timeout_s)

    @property
    def collection(self) -> Collection:
        """What is committed."""
        return Collection(LocalStore(self.directory / "store"))

    def segments(self, name: str = "harbour") -> list[manifest.Segment]:
        """Return the committed segments of a portal."""
        return list(self.collection.segments(name))

    def items(self, name: str = "harbour", run_id: str | None = None) -> list[Item]:
        """Return the stored items of a portal, in order."""
        collection = self.collection
        return [
            item
            for segment in collection.segments(name, run_id)
            for item in collection.items(segment)
        ]

    def decisions(self, name: str = "harbour", run_id: str | None = None) -> list[Json]:
        """Return the decision log of a portal's runs, as the WARCs have it."""
        collection = self.collection
        return [
            json.loads(row)
            for segment in collection.segments(name, run_id)
            for line in collection.lines(segment)
            if line.url.startswith("urn:portalkeep:run:")
            for row in self.record_of(line.filename, line.offset, line.length)
            .block.read()
            .decode()
            .splitlines()
        ]

    def record_of(self, warc: str, offset: int, length: int) -> ParsedRecord:
        """Return a stored record by its place."""
        return self.collection.record(warc, offset, length)

    def endings(self, name: str = "harbour") -> dict[str, tuple[str, str | None, str]]:
        """Return outcome, reason and detail by URL, of URLs that were visited."""
        return {
            row["url"]: (row["outcome"], row.get("reason"), row.get("detail", ""))
            for row in self.decisions(name)
            if "kind" in row
        }

    def spool(self, statement: str, name: str = "harbour") -> list[tuple[Any, ...]]:
        """Return what a statement selects in a portal's spool."""
        folder = self.directory / "spool" / name
        if not (folder / FILE).exists():
            return []
        with closing(open_database(folder)) as db:
            return db.execute(statement).fetchall()

    def warcs(self) -> Iterator[Path]:
        """Yield the stored WARCs."""
        yield from sorted((self.directory / "store").rglob("*.warc.gz"))


def ended(child: subprocess.Popen[str], timeout_s: float = 60) -> Ran:
    """Wait for a child; it must have ended well and without a traceback."""
    try:
        out, err = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        message = f"no end after {timeout_s} s\n{err[-3000:]}"
        raise AssertionError(message) from None
    assert child.returncode == 0, f"{child.returncode}\n{err[-3000:]}"
    at = err.find("Traceback")
    assert at < 0, err[max(at - 500, 0) :][:4000]
    answer = json.loads(out)
    return Ran(answer["answer"], answer["tried"], err)


def plain(items: list[Item]) -> dict[tuple[str, int | None], dict[str, object]]:
    """Return items by id and revision, without what differs from run to run."""
    return {(item.id, item.revision): comparable(item) for item in items}


def consistent(
    place: Workplace, result: Mapping[str, Any], name: str = "harbour"
) -> None:
    """Check that a closed run's counts, decision log and manifests say the same."""
    run_id = result["run_id"]
    counts = {
        key: count
        for key, count in result["run"]["counts"].items()
        if key.partition(":")[0] in ("captured", "revisited", "skipped", "failed")
    }
    logged: dict[str, int] = {}
    for row in place.decisions(name, run_id):
        names = [row["outcome"]]
        if "reason" in row:
            names.append(f"{row['outcome']}:{row['reason']}")
        for key in names:
            logged[key] = logged.get(key, 0) + 1
    assert logged == counts
    summed: dict[str, int] = {}
    for segment in place.collection.segments(name, run_id):
        for key, count in segment.counts.items():
            summed[key] = summed.get(key, 0) + count
    assert summed == counts
    visited = [row["url"] for row in place.decisions(name, run_id) if "kind" in row]
    rows = [(r["url"], r["kind"]) for r in place.decisions(name, run_id) if "kind" in r]
    assert visited
    assert len(rows) == len(set(rows))
    assert place.spool("select * from work where state<2", name) == []
