"""Where Chromium is, and how it is told to mind nobody's business but the page's."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.clock import Clock
    from crawler.config.portal import Rule

NAMES = ("chromium", "chromium-browser", "google-chrome")
FEATURES_OFF = (
    # A browser heeds the last list it is given: what Playwright turns off is here too.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
    "msEdgeUpdateLaunchServicesPreferredVersion",
    "msForceBrowserSignIn",
    # A process made beforehand is for one context: with several, most are for naught.
    "SpareRendererForSitePerProcess",
)
FLAGS = (
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--no-pings",
)
NOWHERE = "http://127.0.0.1:9"
"""The proxy of whatever the browser asks for outside of a page: nobody listens."""

SET_CLOCK_S = 2.0
"""A clock this far from the machine's was set by somebody."""

_DATE = """(() => {
  const Real = Date, now = () => Real.now() + (%d);
  globalThis.Date = new Proxy(Real, {
    construct: (real, given, made) =>
      Reflect.construct(real, given.length ? given : [now()], made),
    apply: () => new Real(now()).toString(),
    get: (real, name) => name === 'now' ? now : Reflect.get(real, name),
  });
})()"""


def find_chromium(setting: str | None) -> str:
    """Return the path of the browser.

    Raises:
        ConfigError: there is none; the message says what to do.
    """
    names = (setting,) if setting else NAMES
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    if setting:
        message = f"browser.path {setting!r} is no program; name Chromium's"
        raise ConfigError(message)
    message = "no Chromium found; install it (apt install chromium) or set browser.path"
    raise ConfigError(message)


def date_script(clock: Clock) -> str | None:
    """Return a script that makes a page's Date tell clock's time; None: it does."""
    skew_s = (clock.now() - datetime.now(UTC)).total_seconds()
    if abs(skew_s) < SET_CLOCK_S:
        return None
    return _DATE % round(skew_s * 1000)


def selectors_of(rule: Rule) -> tuple[str, ...]:
    """Return a rule as the browser's selectors; () where it is more than that."""
    found: list[str] = []
    for expression in rule:
        css = expression.css or expression.path
        if css is None and expression.xpath is None:
            return ()
        found.append(f"css={css}" if css else f"xpath={expression.xpath}")
    return tuple(found)
