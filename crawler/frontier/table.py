"""The tables of the frontier, and a leased row as the work it stands for.

``work`` has a row for each URL, ``met`` one for each flash item that a run saw.
"""

from __future__ import annotations

import json

from crawler.frontier.rows import link_from_json
from crawler.model import Work

SCHEMA = """
create table if not exists work(
  work_id integer primary key autoincrement,
  run_id text not null,
  key blob not null,
  kind text not null,
  link text not null,
  host text not null,
  priority integer not null,
  depth integer not null,
  page integer not null,
  stale_pages integer not null,
  parent integer,
  state integer not null default 0,
  boot text not null default '',
  not_before real not null default 0,
  lease_until real not null default 0,
  fence integer not null default 0,
  deliveries integer not null default 0,
  tries integer not null default 0,
  outcome text,
  reason text,
  detail text,
  unique(run_id, key)
);
create table if not exists met(
  run_id text not null,
  what text not null,
  primary key(run_id, what)
) without rowid;
create index if not exists work_next on work(run_id, state, priority desc, work_id);
"""


def work_from(row: tuple[object, ...]) -> Work:
    """Return the work of a leased row.

    Args:
        row: work_id, run_id, link, depth, page, stale_pages, deliveries, fence, tries.
    """
    work_id, run_id, link, depth, page, stale_pages, deliveries, fence, tries = row[:9]
    return Work(
        work_id=int(str(work_id)),
        run_id=str(run_id),
        link=link_from_json(json.loads(str(link))),
        depth=int(str(depth)),
        page=int(str(page)),
        stale_pages=int(str(stale_pages)),
        deliveries=int(str(deliveries)),
        fence=int(str(fence)),
        tries=int(str(tries)) + 1,
    )
