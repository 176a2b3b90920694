"""What `benchmarks/commit.py` measures, each call in a process of its own.

``python benchmarks/commit_sides.py WHAT DIRECTORY …`` prints one line of JSON: a table
of numbers by side.  ``make`` writes into DIRECTORY what the others read:
``pages.warc.gz`` and ``images.warc.gz``, two segments; ``backlog``, a spool with a
closed segment; ``files``, what a commit of it stores.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import shutil
import sys
import time
from argparse import Namespace
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from desk import add_items, desk, image_visits, page_visits, visits_of
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker
from warcio.warcwriter import WARCWriter

from crawler.archive.commit import commit_run
from crawler.archive.spool import Spool, open_database
from crawler.archive.store import LocalStore, open_store
from crawler.archive.tape import Limits
from crawler.config.settings import StoreSettings
from crawler.warc.verify import verify_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from desk import Visit

Row = dict[str, Any]  # Any: numbers and texts, as JSON has them
INTERVALS_MS = (0, 50, 500)


# what is measured, and how


@contextmanager
def measuring(row: Row) -> Iterator[Row]:
    """Fill in what the block takes: wall and processor time, and memory it adds."""
    with suppress(OSError):  # Linux: the peak is counted from here
        Path("/proc/self/clear_refs").write_text("5")
    before_mb, cpu_s, began_s = resident_mb("VmRSS"), time.process_time(), clock_s()
    yield row
    row["wall_s"] = clock_s() - began_s
    row["cpu_s"] = time.process_time() - cpu_s
    row["peak_mb"] = resident_mb("VmHWM")
    row["added_mb"] = row["peak_mb"] - before_mb


clock_s = time.perf_counter


def resident_mb(field: str) -> float:
    """Return this process's memory, now (VmRSS) or at its peak (VmHWM).

    Not getrusage where it can be helped: there the peak of who started us counts.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines[field].split()[0]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


# the recorder


def record(directory: Path, turn: str) -> dict[str, Row]:
    """Record the pages with each commit interval, and write them with warcio."""
    source = directory / "pages.warc.gz"
    visits = visits_of(source)
    rows: dict[str, Row] = {}
    for name in turned(("warcio", *map(str, INTERVALS_MS)), turn):
        work = directory / f"record-{name}"
        if name == "warcio":
            row = write_plainly(source, work)
        else:
            row = record_all(work, visits, int(name))
        rows[name] = {**row, "exchanges": len(visits)}
        shutil.rmtree(work)
    return rows


def record_all(directory: Path, visits: list[Visit], interval_ms: int) -> Row:
    """Record visits until all are durable and the segment is closed."""
    limits = Limits(commit_interval_s=interval_ms / 1000)
    made = desk(directory, visits, limits)
    with measuring({}) as row:
        made.visit(visits)
        made.recorder.stop()
    row["records"] = made.records()
    made.spool.db.close()
    return row


def write_plainly(source: Path, directory: Path) -> Row:
    """Write the records of source with warcio: no sync, no index, nothing else."""
    with source.open("rb") as file:
        records = [
            (
                record.rec_type,
                record.rec_headers.get_header("WARC-Target-URI"),
                record.raw_stream.read(),
            )
            for record in ArchiveIterator(file, no_record_parse=True)
        ]
    directory.mkdir()
    with measuring({}) as row, (directory / "plain.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for kind, uri, block in records:
            made = writer.create_warc_record(
                uri, kind, payload=io.BytesIO(block), length=len(block)
            )
            writer.write_record(made)
    row["records"] = len(records)
    return row


# what the others read


def make(directory: Path, pages: str, images: str, items: str) -> dict[str, Row]:
    """Write what the sides read."""
    _keep(directory / "spool-pages", page_visits(int(pages)))
    _keep(directory / "spool-images", image_visits(int(images)))
    backlog = directory / "backlog"
    made = desk(backlog, image_visits(int(images)), Limits())
    made.visit(image_visits(int(images)))
    add_items(made, backlog, int(items))
    made.recorder.stop()
    made.spool.db.close()
    shutil.copytree(backlog, directory / "first")
    commit_into(LocalStore(directory / "files"), directory / "first", {})
    return {}


def _keep(directory: Path, visits: list[Visit]) -> None:
    made = desk(directory, visits, Limits())
    made.visit(visits)
    made.recorder.stop()
    made.spool.db.close()
    (warc,) = directory.glob("*.warc.gz")
    kind = directory.name.rpartition("-")[2]
    warc.rename(directory.with_name(f"{kind}.warc.gz"))


# commits


def commit_into(store: Any, directory: Path, row: Row) -> None:  # noqa: ANN401 - a Store
    """Commit the closed segment of a spool, measured."""
    spool = Spool(open_database(directory))
    (run,) = spool.runs()
    with measuring(row):
        (segment,) = commit_run(store, spool, directory, run)
    row["stored"] = sum(file.bytes for file in segment.files)
    spool.db.close()


def commit(directory: Path, side: str, endpoint: str = "", prefix: str = "") -> Row:
    """Commit the backlog, or copy the files that its commit stores."""
    work = directory / f"commit-{prefix or 'local'}"
    row: Row = {}
    if side.startswith("commit"):
        shutil.copytree(directory / "backlog", work)
        url = f"s3://portalkeep/{prefix}" if endpoint else str(work / "store")
        settings = {"url": url, **({"endpoint_url": endpoint} if endpoint else {})}
        store = open_store(StoreSettings.model_validate(settings))
        commit_into(store, work, row)
    else:
        work.mkdir()
        copy_plainly(directory / "files", work, endpoint, prefix, row)
    shutil.rmtree(work)
    return {side: row}


def copy_plainly(files: Path, work: Path, endpoint: str, prefix: str, row: Row) -> None:
    """Copy or upload files as one would without portalkeep, measured."""
    paths = [path for path in files.rglob("*.gz") if path.is_file()]
    client = s3_client(endpoint) if endpoint else None
    with measuring(row):
        for path in paths:
            if client is not None:
                client.upload_file(str(path), "portalkeep", f"{prefix}/{path.name}")
            else:
                shutil.copyfile(path, work / path.name)
    row["stored"] = sum(path.stat().st_size for path in paths)


def s3_client(endpoint: str) -> Any:  # noqa: ANN401 - made by boto3 at run time
    """Return boto3's client."""
    import boto3  # noqa: PLC0415 - takes its time, and most sides have no use for it

    return boto3.client("s3", endpoint_url=endpoint)


# verification


def verify(directory: Path, turn: str) -> dict[str, Row]:
    """Verify both segments with our own checks and with two others."""
    rows: dict[str, Row] = {}
    for kind in ("pages", "images"):
        path = directory / f"{kind}.warc.gz"
        for name in turned(tuple(VERIFIERS), turn):
            with measuring({}) as row:
                problems = VERIFIERS[name](path)
            row |= {"problems": problems, "stored": path.stat().st_size}
            rows[f"{kind} {name}"] = row
    return rows


def by_fastwarc(path: Path) -> int:
    """Return how many stated digests do not hold, checked as ``fastwarc check`` does.

    The block comes first: once its HTTP head is parsed, the rest alone is hashed.
    """
    wrong = 0
    for found in FastIterator(str(path), parse_http=False, inplace=True):
        wrong += not found.verify_block_digest()
        if "WARC-Payload-Digest" in found.headers and found.is_http:
            found.parse_http()
            wrong += not found.verify_payload_digest(consume=True)
    return wrong


def by_warcio(path: Path) -> int:
    """Return 1 where ``warcio check`` finds something."""
    checker = Checker(Namespace(inputs=[str(path)], verbose=False))
    with redirect_stdout(sys.stderr):
        return int(checker.process_all())


VERIFIERS: dict[str, Callable[[Path], int]] = {
    "verify": lambda path: len(list(verify_file(path, read_data=False))),
    "verify --read-data": lambda path: len(list(verify_file(path, read_data=True))),
    "fastwarc": by_fastwarc,
    "warcio check": by_warcio,
}


def turned(names: tuple[str, ...], turn: str) -> tuple[str, ...]:
    """Return names, begun at another place every turn."""
    at = int(turn) % len(names)
    return names[at:] + names[:at]


PARTS: dict[str, Callable[..., Row]] = {
    "make": make,
    "record": record,
    "commit": commit,
    "verify": verify,
}


def main() -> None:
    """Do one thing and print its numbers."""
    what, directory, *more = sys.argv[1:]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
    )
    print(json.dumps(PARTS[what](Path(directory), *more)), flush=True)


if __name__ == "__main__":
    main()
