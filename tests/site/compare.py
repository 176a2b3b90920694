"""Crawl the raw origin and compare what was captured with what crossed the wire.

``python -m tests.site.compare`` prints a table for http and https.
"""

# ruff: noqa: T201 - a program; it prints
from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

from tests.site.behaviours import MAX_RECORD_BYTES
from tests.site.oddities import BEHAVIOURS
from tests.site.wire import Logged, WireServer

ROOT = Path(__file__).resolve().parents[2]
CRAWL_TIMEOUT_S = 60


@dataclass
class Crawled:
    """What a crawl recorded.

    Attributes:
        exchanges, outcomes: in order; the bytes of an exchange are decoded.
        end: peak memory and loop lag.
        errors: what was logged.
    """

    exchanges: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    errors: str = ""

    def of(self, path: str) -> list[dict[str, Any]]:
        """Return the exchanges of a path that reached the origin, in order."""
        return [x for x in self.exchanges if x["path"] == path]


def certified() -> ssl.SSLContext:
    """Return a server's TLS context with a certificate nobody trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def crawl(folder: Path, base: str, names: list[str], **plan: object) -> Crawled:
    """Run the crawl as a program of its own and read what it wrote."""
    out = folder / "out.jsonl"
    out.unlink(missing_ok=True)
    plan_file = folder / "plan.json"
    fields = {"base": base, "names": names, "out": str(out), "spool": str(folder)}
    plan_file.write_text(json.dumps({**fields, **plan}), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-m", "tests.site.crawl", str(plan_file)]
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _, errors = running.communicate(timeout=CRAWL_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            running.kill()
            _, errors = running.communicate()
            errors += f"killed after {CRAWL_TIMEOUT_S} s"
    return _read(out, errors)


def _read(out: Path, errors: str) -> Crawled:
    crawled = Crawled(errors=errors)
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    for line in lines:
        fields = json.loads(line)
        kind = fields.pop("kind")
        if kind == "exchange":
            for name in ("request", "response", "interim", "excess"):
                text = fields[name]
                fields[name] = None if text is None else base64.b64decode(text)
            fields["path"] = "/" + fields["url"].split("/", 3)[-1]
            crawled.exchanges.append(fields)
        elif kind == "outcome":
            fields["body"] = base64.b64decode(fields.get("body", ""))
            crawled.outcomes.append(fields)
        else:
            crawled.end = fields
    return crawled


@dataclass(frozen=True, slots=True)
class Compared:
    """One exchange of the origin's log beside its capture.

    Attributes:
        request_exact, response_exact: byte for byte; the response by its three parts
            joined, or as far as the size limit lets it.
        note: a stated deviation that shows, or what is wrong.
    """

    path: str
    request_exact: bool
    response_exact: bool
    note: str


def compare(log: list[Logged], crawled: Crawled) -> list[Compared]:
    """Compare each logged exchange with the capture of the same turn on its path."""
    turns: dict[str, int] = {}
    compared = []
    for entry in log:
        turn = turns[entry.path] = turns.get(entry.path, -1) + 1
        captured = crawled.of(entry.path)
        if turn < len(captured):
            compared.append(_beside(entry, captured[turn]))
        else:
            compared.append(Compared(entry.path, False, False, "LOST"))
    return compared


def _beside(entry: Logged, captured: dict[str, Any]) -> Compared:
    response = captured["response"] or b""
    whole = captured["interim"] + response + captured["excess"]
    exact = whole == entry.sent
    notes = [name for name in ("interim", "excess") if captured[name]]
    if captured["truncated"]:
        notes.append(f"truncated: {captured['truncated']}")
    if captured["truncated"] == "length":
        exact = response == entry.sent[:MAX_RECORD_BYTES]
    elif captured["truncated"] == "time":
        exact = bool(response) and entry.sent.startswith(response)
    return Compared(
        entry.path, captured["request"] == entry.request, exact, ", ".join(notes)
    )


def main() -> int:
    """Print a table a scheme; 0 where everything is exact."""
    inexact = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        WireServer(certified()) as server,
    ):
        for scheme, port in (("http", server.port), ("https", server.tls_port)):
            server.log.clear()
            base = f"{scheme}://127.0.0.1:{port}"
            crawled = crawl(Path(folder), base, list(BEHAVIOURS))
            rows = compare(server.log, crawled)
            _print_table(scheme, rows, crawled)
            inexact += not rows
            inexact += sum(not (x.request_exact and x.response_exact) for x in rows)
    return 1 if inexact else 0


def _print_table(scheme: str, rows: list[Compared], crawled: Crawled) -> None:
    for row in rows:
        verdict = [
            "exact" if x else "DIFFERS" for x in (row.request_exact, row.response_exact)
        ]
        print(
            f"{row.path:18} request {verdict[0]:8} response {verdict[1]:8} {row.note}"
        )
    requests = sum(row.request_exact for row in rows)
    responses = sum(row.response_exact for row in rows)
    print(
        f"{scheme}: {requests}/{len(rows)} requests exact, "
        f"{responses}/{len(rows)} responses exact, "
        f"{len(crawled.outcomes)} outcomes, {len(crawled.exchanges)} exchanges"
    )
    print(crawled.errors, end="")


if __name__ == "__main__":
    sys.exit(main())
