"""What a portal's archive must not hold: by configuration and by what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.config.secrets import listed_secrets, secret_names, written_forms
from crawler.warc.redact import Policy

if TYPE_CHECKING:
    from crawler.config.portal import Portal
    from crawler.config.settings import Settings


def redaction_of(portal: Portal, settings: Settings) -> Policy:
    """Return what is masked in everything that is stored of a portal."""
    names = secret_names(portal, settings.secrets)
    return Policy(
        settings.warc.redact,
        fields=names.fields,
        login=names.cookies,
        named=names.headers,
    )


def hidden_texts(portal: Portal, settings: Settings) -> frozenset[str]:
    """Return the texts that no log and no message may show, in all their spellings."""
    return written_forms(settings.secrets | listed_secrets(portal))
