"""Load a configuration file: built-in < top level < portal < environment < option.

1. The file and what it includes are read, variables expanded (``document``).
2. Environment and options are laid over it (``outside``).
3. The top level and each portal become models; each portal's ``crawl`` is laid key by
   key over the top level's (``merge``).
4. Everything that is wrong is collected and told at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from crawler.config.check import check_portal, check_settings
from crawler.config.document import Document, read_document
from crawler.config.explain import problems_of
from crawler.config.learned import read_learned
from crawler.config.merge import Source, inherited, portal_tree, top_tree
from crawler.config.outside import from_environment, from_options
from crawler.config.places import Layer, Places
from crawler.config.portal import Portal
from crawler.config.problem import Place, Problem, as_error, did_you_mean
from crawler.config.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crawler.config.check import Finding
    from crawler.config.document import Tree
    from crawler.config.learned import Learned
    from crawler.config.problem import Path
    from crawler.errors import ConfigError

SHIPPED = "shipped:"
_SHIPPED = {"demo": "demo/demo.yaml"}
_PACKAGE = FilePath(__file__).parent.parent
_INCLUDABLE = ("version", "crawl", "portals")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    Attributes:
        path: the file it began with.
        secrets: texts that must never be shown, logged or stored.
        top: where the top level's values were written.
        portals: the same for each portal, by its id.
    """

    settings: Settings
    path: FilePath
    secrets: frozenset[str] = field(repr=False)
    top: Places = field(repr=False)
    portals: Mapping[str, Places] = field(repr=False)


def load(
    path: FilePath,
    *,
    environment: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Read path and all it includes, and return the settings it gives.

    Args:
        path: the file; what it includes is seen from its folder.
        environment: variables, for ``${NAME}`` and for ``PORTALKEEP_…``.
        overrides: options by dotted name, such as ``crawl.delay``; they win.

    Raises:
        ConfigError: something is wrong; every problem is named as
            ``file:line:column: what``, MAX_SHOWN at most.
    """
    return _Loader(path, environment, overrides or {}).load()


@dataclass(slots=True)
class _Loader:
    """Collects documents, problems and portals of one loading."""

    path: FilePath
    environment: Mapping[str, str]
    overrides: Mapping[str, object]
    problems: list[Problem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def load(self) -> Loaded:
        main = self._read(self.path, Place(str(self.path)))
        if main.tree is None and self.problems:
            raise self._error()
        if not isinstance(main.tree, dict | None):
            self._note(main, (), "wants a mapping at its top: 'portals:' and the like")
            raise self._error()
        sources = [*self._own_portals(main), *self._included(main)]
        forced = self._outside()
        settings, top = self._top(main, forced)
        portals = [self._portal(source, main, forced) for source in sources]
        self._unique(portals)
        if self.problems or settings is None:
            raise self._error()
        made = tuple(portal for portal, _ in portals if portal is not None)
        secrets = frozenset(self.secrets)
        whole = settings.model_copy(update={"portals": made}).with_secrets(secrets)
        places = {one.id: where for one, where in portals if one is not None}
        return Loaded(whole, self.path, secrets, top, places)

    def _error(self) -> ConfigError:
        return as_error(self.problems, frozenset(self.secrets))

    def _read(self, path: FilePath, asked_at: Place) -> Document:
        """Read one file; what cannot be read is an empty document and a problem."""
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            line = exc.object[: exc.start].count(b"\n") + 1
            column = exc.start - exc.object.rfind(b"\n", 0, exc.start)
            place = Place(str(path), line, column)
            self.problems.append(Problem(place, "no UTF-8; save the file as UTF-8"))
            return Document(str(path))
        except OSError as exc:
            what = f"cannot read {str(path)!r}: {exc.strerror}; check the name"
            self.problems.append(Problem(asked_at, what))
            return Document(str(path))
        return self._took(read_document(text, str(path), self.environment))

    def _took(self, document: Document) -> Document:
        self.problems += document.problems
        self.secrets |= document.secrets
        self.variables |= document.variables
        return document

    def _note(self, document: Document, path: Path, what: str) -> None:
        places = Places((Layer(document.spots),), document.file)
        self.problems.append(Problem(places.locate(path), what))

    def _own_portals(self, document: Document) -> Iterable[Source]:
        """Yield the portals of a file: a list of them, or under ``portals``."""
        tree = document.tree
        at: Path = ()
        base = None
        if isinstance(tree, dict):
            base = tree.get("crawl")
            tree, at = tree.get("portals"), ("portals",)
        if tree is not None and not isinstance(tree, list):
            self._note(document, at, "'portals': wants a list; begin each with '- id:'")
            return
        for index, raw in enumerate(tree or ()):
            if isinstance(raw, dict):
                yield Source(document, (*at, index), raw, base)
            else:
                self._note(document, (*at, index), "a portal is a mapping with an 'id'")

    def _included(self, main: Document) -> Iterable[Source]:
        given = main.tree.get("include") if isinstance(main.tree, dict) else None
        names = given if isinstance(given, list) else [given]
        for at, name in enumerate(names):
            if not isinstance(name, str):
                continue  # the model tells
            places = Places((Layer(main.spots),), main.file)
            asked_at = places.locate(("include", at))
            path = self._included_path(name, asked_at)
            if path is not None:
                yield from self._checked(self._read(path, asked_at))

    def _included_path(self, name: str, asked_at: Place) -> FilePath | None:
        if not name.startswith(SHIPPED):
            return self.path.parent / name
        short = name.removeprefix(SHIPPED)
        if short in _SHIPPED:
            return _PACKAGE / _SHIPPED[short]
        near = did_you_mean(short, _SHIPPED)
        hint = near or f"; shipped are: {', '.join(_SHIPPED)}"
        self.problems.append(Problem(asked_at, f"{name!r} is not shipped{hint}"))
        return None

    def _checked(self, document: Document) -> Iterable[Source]:
        """Yield the portals of an included file, which holds nothing else."""
        if isinstance(document.tree, dict):
            for key in document.tree:
                if key == "version" and document.tree[key] != 1:
                    self._note(document, (key,), "'version': this program reads 1")
                if key not in _INCLUDABLE:
                    what = f"{key!r} cannot stand in an included file; move it up"
                    place = document.spots[(key,)].key
                    self.problems.append(Problem(place, what))
        elif document.tree is not None and not isinstance(document.tree, list):
            self._note(document, (), "wants a list of portals, or 'portals:' and them")
            return
        yield from self._own_portals(document)

    def _outside(self) -> tuple[Document, Document]:
        """Return what options and environment set, the stronger first."""
        environment = from_environment(
            self.environment, Settings, used=frozenset(self.variables)
        )
        return self._took(from_options(self.overrides, Settings)), self._took(
            environment
        )

    def _top(
        self, main: Document, forced: tuple[Document, ...]
    ) -> tuple[Settings | None, Places]:
        layers = (*(Layer(one.spots) for one in forced), Layer(main.spots))
        places = Places(layers, main.file)
        try:
            settings = Settings.model_validate(top_tree(main, forced))
        except ValidationError as exc:
            self.problems += problems_of(exc, Settings, places)
            return None, places
        self._found(check_settings(settings), places)
        return settings, places

    def _portal(
        self, source: Source, main: Document, forced: tuple[Document, ...]
    ) -> tuple[Portal | None, Places]:
        places = source.places(main, forced)
        tree, clash = portal_tree(source, main, forced)
        if clash:
            self.problems.append(Problem(places.locate(("allow_private",)), clash))
        learned = self._learned(tree, places, FilePath(source.document.file))
        try:
            portal = Portal.model_validate({**tree, **learned})
        except ValidationError as exc:
            self.problems += problems_of(exc, Portal, places)
            return None, places
        self._found(check_portal(portal), places)
        folder = FilePath(source.document.file).parent
        return inherited(portal, folder), places

    def _learned(
        self, tree: dict[str, Tree], places: Places, beside: FilePath
    ) -> dict[str, Learned | None]:
        """Return the content of the learned file that a portal names."""
        name = tree.get("learned")
        if not isinstance(name, str):
            return {}
        portal = str(tree.get("id"))
        try:
            content = (beside.parent / name).read_bytes()
            return {"learned": read_learned(content, portal)}
        except OSError as exc:
            why = f"cannot be read: {exc.strerror}"
        except ValueError as exc:
            why = f"is no learned file that can be used: {exc}"
        what = (
            f"'learned': {name!r} {why}; take the key out, "
            f"then `portalkeep portals learn {portal}` makes one"
        )
        self.problems.append(Problem(places.locate(("learned",)), what))
        return {"learned": None}

    def _found(self, findings: Iterable[Finding], places: Places) -> None:
        for path, what in findings:
            is_key = path[-1:] == ("[key]",)
            spot = places.locate_key(path[:-1]) if is_key else places.locate(path)
            self.problems.append(Problem(spot, what))

    def _unique(self, portals: list[tuple[Portal | None, Places]]) -> None:
        first: dict[str, Place] = {}
        for portal, places in portals:
            if portal is None:
                continue
            place = places.locate(("id",))
            if portal.id in first:
                what = f"portal id {portal.id!r} is taken, see {first[portal.id]}"
                self.problems.append(Problem(place, f"{what}; choose another"))
            first.setdefault(portal.id, place)
