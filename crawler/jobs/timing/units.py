"""What calls ``run-due`` again and again: units of systemd, a crontab, CronJobs.

All of them look what is due every few minutes; which portal starts when is said by the
configuration alone, so that a change of it needs no change here.
"""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from crawler.jobs.timing.due import Entry

UNIT = "portalkeep-run-due@"
STOP_S = 90
"""Longer than a crawl that is stopped may take to end."""
SLACK_S = 600
LONGEST_S = 24 * 3600
"""Where a schedule has no ``max_runtime``, a pod ends after this; the next resumes."""
_LONGEST_NAME = 52  # of a CronJob


@dataclass(frozen=True, slots=True)
class Call:
    """How the program is called.

    Attributes:
        command: with its global options.
        directory: where it is started.
        config: its configuration.
        every_min: minutes between two calls.
        image: of a container with the program.
    """

    command: Sequence[str]
    directory: Path
    config: Path
    every_min: int
    image: str


def systemd(call: Call, portals: Sequence[str]) -> dict[str, str]:
    """Return a service and a timer, templates of which each portal has an instance."""
    start = " ".join(_quoted(word) for word in call.command)
    timers = " ".join(f"{UNIT}{portal}.timer" for portal in portals)
    service = f"""\
# Starts what is due of one portal. With the timer in /etc/systemd/system:
#   systemctl daemon-reload
#   systemctl enable --now {timers}
# Variables of the configuration stand in /etc/portalkeep.env, readable for root alone.
[Unit]
Description=portalkeep: scheduled crawls of %i
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={str(call.directory).replace("%", "%%")}
EnvironmentFile=-/etc/portalkeep.env
ExecStart={start} run-due %i
# Interrupted is no failure: the next call goes on.
SuccessExitStatus=7
# The crawl is stopped by the process that started it.
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec={STOP_S}
"""
    timer = f"""\
[Unit]
Description=portalkeep: looks what is due of %i

[Timer]
OnCalendar=*:0/{call.every_min}
RandomizedDelaySec=30
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {f"{UNIT}.service": service, f"{UNIT}.timer": timer}


def crontab(call: Call) -> dict[str, str]:
    """Return a line for ``crontab -e``."""
    directory = shlex.quote(str(call.directory))
    command = f"cd {directory} && {shlex.join(call.command)} run-due"
    line = f"{command} >>run-due.log 2>&1".replace("%", "\\%")
    text = f"""\
# portalkeep: starts what is due; for `crontab -e`. Variables of the configuration stand
# above it as NAME=value.
*/{call.every_min} * * * * {line}
"""
    return {"portalkeep.crontab": text}


def kubernetes(call: Call, entries: Iterable[Entry]) -> dict[str, str]:
    """Return a CronJob a portal and the volume they share, in one file."""
    limits: dict[str, list[float | None]] = {}
    for entry in entries:
        limits.setdefault(entry.portal.id, []).append(entry.rule.max_runtime)
    jobs = [_cron_job(call, portal, _deadline_s(x)) for portal, x in limits.items()]
    return {"portalkeep.yaml": "---\n".join([_volume(call), *jobs])}


def _deadline_s(limits: Sequence[float | None]) -> int:
    known = [limit for limit in limits if limit is not None]
    whole = len(known) == len(limits)
    return round(max(known)) + SLACK_S if whole else LONGEST_S


def _volume(call: Call) -> str:
    name = call.config.name
    return f"""\
# Before it: kubectl create configmap portalkeep-config --from-file={shlex.quote(name)}
# and, for its variables: kubectl create secret generic portalkeep-env …
# Paths of spool and store are seen from /data: the spool must outlive a pod.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: portalkeep-data
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 20Gi
"""


def _cron_job(call: Call, portal: str, deadline_s: int) -> str:
    args = ["--config", f"/config/{call.config.name}", "run-due", portal]
    listed = ", ".join(f'"{_escaped(arg)}"' for arg in args)
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {_job_name(portal)}
spec:
  schedule: "*/{call.every_min} * * * *"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {call.every_min * 60}
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: {deadline_s}
      template:
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: {STOP_S}
          containers:
            - name: portalkeep
              image: "{_escaped(call.image)}"
              command: [portalkeep]
              args: [{listed}]
              workingDir: /data
              envFrom:
                - secretRef: {{name: portalkeep-env, optional: true}}
              volumeMounts:
                - {{name: data, mountPath: /data}}
                - {{name: config, mountPath: /config, readOnly: true}}
          volumes:
            - name: data
              persistentVolumeClaim: {{claimName: portalkeep-data}}
            - name: config
              configMap: {{name: portalkeep-config}}
"""


def _job_name(portal: str) -> str:
    """Return a name that Kubernetes takes; another for each portal."""
    name = f"portalkeep-{portal}".replace("_", "-").rstrip("-")
    if name == f"portalkeep-{portal}" and len(name) <= _LONGEST_NAME:
        return name
    mark = hashlib.sha256(portal.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{mark}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(word: str) -> str:
    """Return a word of ExecStart, in which nothing is expanded."""
    plain = _escaped(word).replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != word or not word or " " in word else word
