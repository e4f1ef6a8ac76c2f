"""JSON API of plans under ``/api/v1``: what is read of finished plans and answered questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, Protocol

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from geodata.pack import Pack
from siting.money import INR_PER_CRORE, indian
from siting.results.classes import METHODS
from siting.results.read import PlanTables
from web.batches import batches
from web.compare import comparison, sweep_points
from web.i18n import LANGUAGES, language
from web.map.figure import LAYERS as FIGURE_LAYERS
from web.map.figure import USUAL_LAYERS, Figure
from web.map.measures import MEASURES, classes_told
from web.map.plan import DistrictShapes, PlanData
from web.map.shapes import network_lines
from web.map.tables import LAYERS, MIMETYPES, encode
from web.map.topology import GRID
from web.pages import boundary_note, osm_credit, sources
from web.queries import choice, only
from web.results import DOWNLOADS, SEPARATOR, Results
from web.security import refuse
from web.transfer import Body, Shelf, json_body

API = "/api/v1"
RUN_PREFIX = "run:"
SHELF_SIZE = 256
EXPORTS = 4  # tables written or waiting to be; the server's other threads stay free
RETRY_S = 5
MAX_CLASSED = 4  # plans that are classed together
OPEN_PLANS = 24  # plans whose tables stay in memory


class RunPlans(Protocol):
    """Where answered questions are found."""

    def tables(self, run_id: str) -> PlanTables:
        """Tables of a finished run; ends the request with 404, 409 or 410 where there are none."""


class Library:
    """All plans by name, those of results and those of runs, open while they are asked for."""

    def __init__(self, results: Results, pack: Pack, runs: RunPlans) -> None:
        self.results, self.pack, self.runs = results, pack, runs
        self.shelf = Shelf(SHELF_SIZE)
        self.shapes: dict[str, DistrictShapes] = {}
        self.exporting, self.exports_waiting = Lock(), BoundedSemaphore(EXPORTS)
        self._open: dict[tuple[str, int], tuple[PlanData, Figure]] = {}

    def plan(self, key: str) -> PlanData:
        plan = self.results.plans().get(key)
        if plan is None:
            refuse(404, f"no plan '{key}'; GET {API}/plans lists them")
        return self._opened(plan, f"{API}/plans/{key}")[0]

    def run(self, run_id: str) -> PlanData:
        return self._opened(self.runs.tables(run_id), f"{API}/runs/{run_id}")[0]

    def any(self, name: str) -> PlanData:
        """Plan by id, or answer to a question as ``run:ID``."""
        if name.startswith(RUN_PREFIX):
            return self.run(name.removeprefix(RUN_PREFIX))
        return self.plan(name)

    def figure(self, data: PlanData, state: str | None = None) -> Figure:
        """The drawing of a plan, or of one state of it."""
        if state is None:
            return self._opened(data.plan, data.base)[1]
        if state not in set(data.district_table["state"]):
            refuse(404, f"no state '{state}' in this plan; its table of states lists them")
        return Figure(data, state)

    def _opened(self, plan: PlanTables, base: str) -> tuple[PlanData, Figure]:
        opened = self._open.get(plan.identity)
        if opened is None:
            data = PlanData(plan, getattr(plan, "pack", self.pack), base, self.shapes)
            opened = self._open.setdefault(plan.identity, (data, Figure(data)))
            for old in list(self._open)[:-OPEN_PLANS]:
                self._open.pop(old, None)
        return opened

    def shapes_of(self, content: str) -> DistrictShapes:
        """Shapes by hash; plans tell the hash, so that one who asks has opened a plan with them."""
        if content not in self.shapes:
            for plan in self.results.plans().values():
                if self._opened(plan, f"{API}/plans/{plan.key}")[0].shapes.hash == content:
                    break
            else:
                refuse(404, f"no districts of version '{content}'; a plan's links.shapes names its own")
        return self.shapes[content]


def create_api(library: Library, can_ask: Callable[[PlanTables], bool]) -> Blueprint:
    """Return the blueprint of plans, map layers and comparisons.

    Args:
        can_ask: whether what-if questions can be put to a plan.
    """
    api = Blueprint("api", __name__)
    results, pack, shelf = library.results, library.pack, library.shelf
    description = Body(Path(__file__).with_name("openapi.json").read_bytes(), "application/json")

    def told(plan: PlanTables, sweep: str | None) -> dict[str, Any]:
        names = ("status", "gap", "budget_inr_crore", "capex_inr_crore", "saving_inr_per_year", "fingerprint")
        return {
            "id": plan.key, "name": plan.summary["study"], "kind": "sweep-member" if sweep else "run", "sweep": sweep,
            "study": plan.summary["study"], **{name: plan.summary.get(name) for name in names},
            "written": written(plan), "files": files(plan), "can_what_if": can_ask(plan),
        }  # fmt: skip

    @api.get(f"{API}/openapi.json")
    def openapi() -> Response:
        only()
        return description.response()

    @api.get(f"{API}/plans")
    def plans() -> Response:
        only()
        listed = [told(plan, sweep_of(key)) for key, plan in results.plans().items()]
        sweeps = list(dict.fromkeys(plan["sweep"] for plan in listed if plan["sweep"]))
        return json_body({"plans": listed, "sweeps": sweeps}).response()

    @api.get(f"{API}/plans/<key>")
    def plan(key: str) -> Response:
        only()
        data = library.plan(key)
        report = {"report": f"/results/{key}/report.html" if "report.html" in files(data.plan) else None}
        links = {"links": {**data.links, **report}}
        return json_body({**data.plan.summary, **told(data.plan, sweep_of(key)), **links}).response()

    @api.get(f"{API}/sweeps/<key>")
    def sweep(key: str) -> Response:
        only()
        members = [plan for name, plan in results.plans().items() if sweep_of(name) == key]
        if not members:
            refuse(404, f"no sweep '{key}'; GET {API}/plans lists them")
        identity = ("sweep", key, *(plan.identity for plan in members))
        return shelf.json(identity, lambda: {"id": key, "name": members[0].summary["study"],
                                             "points": sweep_points(members)}).response()  # fmt: skip

    @api.get(f"{API}/map/districts")
    def districts_map() -> Response:
        only("v")
        content = request.args.get("v")
        if content is None:
            shapes = DistrictShapes(pack.districts.geometry, pack.districts["state"].tolist(), pack.land)
            return shelf.json(("shapes", shapes.hash), shapes.encoded).response()
        shapes = library.shapes_of(content)
        return shelf.json(("shapes", content), shapes.encoded).response(immutable=True)

    @api.get(f"{API}/map/<any(roads,rail):name>")
    def network(name: str) -> Response:
        only()
        network = pack.road if name == "roads" else pack.rail
        return shelf.json(("network", name), lambda: {"grid": GRID, "lines": network_lines(network)}).response()

    add_comparison_routes(api, library)
    add_plan_routes(api, library, f"{API}/plans/<key>", library.plan)
    add_plan_routes(api, library, f"{API}/runs/<key>", library.run)
    add_print_route(api, library, "plans", library.plan)
    add_print_route(api, library, "runs", library.run)

    @api.get(f"{API}/runs/<key>/plan")
    def run_plan(key: str) -> Response:
        only()
        data = library.run(key)
        about: dict[str, Any] = {
            "id": f"{RUN_PREFIX}{key}", "kind": "what-if", "sweep": None, "written": written(data.plan), "files": [],
            "can_what_if": True, "links": {**data.links, "report": None},
        }  # fmt: skip
        return json_body({**data.plan.summary, **about}).response()

    return api


def add_comparison_routes(api: Blueprint, library: Library) -> None:
    """Add what is told of several plans."""
    shelf = library.shelf

    @api.get(f"{API}/compare")
    def compared() -> Response:
        only("a", "b")
        missing = [name for name in ("a", "b") if name not in request.args]
        if missing:
            refuse(400, f"{missing[0]} is not given; name two plans: ?a=ID&b=ID")
        a, b = (library.any(request.args[name]) for name in ("a", "b"))
        return shelf.json(("compare", a.plan.identity, b.plan.identity), lambda: comparison(a, b)).response()

    @api.get(f"{API}/batches")
    def listed_batches() -> Response:
        only()
        return json_body({"batches": batches(library.results)}).response()

    @api.get(f"{API}/classes")
    def classes() -> Response:
        only("plan", "lang")
        asked = request.args.getlist("plan")
        if not 1 <= len(asked) <= MAX_CLASSED:
            refuse(400, f"plan is given {len(asked)} times; name 1 to {MAX_CLASSED} plans: ?plan=ID&plan=ID")
        named = [library.any(name) for name in asked]
        lang = choice("lang", tuple(LANGUAGES), language())
        key = ("classes", lang, *(data.plan.identity for data in named))
        return shelf.json(key, lambda: classes_told([data.map_table for data in named])).response()


def add_plan_routes(api: Blueprint, library: Library, prefix: str, find: Callable[[str], PlanData]) -> None:
    """Add what there is of every plan, at a prefix that ends in ``<key>``."""
    shelf = library.shelf
    kind = prefix.split("/")[-2]

    def layer(name: str, make: Callable[[PlanData], Any]) -> None:
        def view(key: str) -> Response:
            only()
            data = find(key)
            return shelf.json((data.plan.identity, name), lambda: make(data)).response()

        api.add_url_rule(f"{prefix}/{name}", f"{kind}_{name}", view)

    layer("districts", PlanData.districts)
    layer("sites", PlanData.sites)
    layer("places", PlanData.places)
    layer("shapes", lambda data: data.shapes.encoded())

    def lanes(key: str) -> Response:
        only("district", "site")
        data = find(key)
        chosen = _chosen()
        if chosen is None:
            refuse(400, "name one district or one site: ?district=STATE/DISTRICT or ?site=SITE_ID")
        return shelf.json((data.plan.identity, "lanes", *chosen), lambda: data.lanes_of(*chosen)).response()

    def table(key: str, layer: str, suffix: str) -> Response:
        data = find(key)
        if layer not in LAYERS or suffix not in MIMETYPES:
            refuse(404, f"no table '{layer}.{suffix}'; there are {', '.join(LAYERS)} as {', '.join(MIMETYPES)}")
        name = f"{data.plan.key}-{layer}.{suffix}"
        if suffix == "json":  # a page of a table; the others are whole ones, which take seconds and memory
            return encode(data, layer, suffix).response()
        if not library.exports_waiting.acquire(blocking=False):
            refuse(503, "other tables are being written; try again in a few seconds", retry_after_s=RETRY_S)
        try:
            with library.exporting:
                body = encode(data, layer, suffix)
        finally:
            library.exports_waiting.release()
        return body.response(download=name)

    def drawing(key: str) -> Response:
        only("measure", "classes", "lang", "layers", "state", "district", "site")
        data = find(key)
        return _drawing(library, data, choice("lang", tuple(LANGUAGES), language())).response()

    api.add_url_rule(f"{prefix}/lanes", f"{kind}_lanes", lanes)
    api.add_url_rule(f"{prefix}/tables/<layer>.<suffix>", f"{kind}_table", table)
    api.add_url_rule(f"{prefix}/map.svg", f"{kind}_map", drawing)


def add_print_route(api: Blueprint, library: Library, kind: str, find: Callable[[str], PlanData]) -> None:
    """Add the page to print."""

    def page(key: str) -> Response:
        only("measure", "classes", "lang", "layers", "state", "district", "site")
        data = find(key)
        drawing = _drawing(library, data, language())
        text = render_template(
            "print.html", state=_state_name(data),
            plan={**data.plan.summary, "id": key, "links": data.links}, figure=_markup(drawing),
            sources=sources(data.pack),
            boundaries=boundary_note(data.pack, data.plan.own_districts), credit=osm_credit(data.pack),
            measure=request.args.get("measure", "saving"), lang=language(),
            crore=lambda inr: indian(inr / INR_PER_CRORE),
        )  # fmt: skip
        return Body(text.encode(), "text/html").response()

    api.add_url_rule(f"/print/{kind}/<key>", f"print_{kind}", page)


def _state_name(data: PlanData) -> str | None:
    """The state that the request is about, in its language."""
    state = request.args.get("state")
    names = data.district_table.set_index("state")["state_hi"].to_dict() if language() == "hi" else {}
    return names.get(state) or state


def _drawing(library: Library, data: PlanData, lang: str) -> Body:
    measure = choice("measure", tuple(MEASURES), "saving")
    classes = choice("classes", METHODS, METHODS[0])
    layers = tuple(name for name in request.args.get("layers", ",".join(USUAL_LAYERS)).split(",") if name)
    unknown = [name for name in layers if name not in FIGURE_LAYERS]
    if unknown:
        refuse(400, f"layers names unknown {unknown[0]!r}; choose from {', '.join(FIGURE_LAYERS)}")
    layers = tuple(name for name in FIGURE_LAYERS if name in layers)
    chosen = _chosen()

    state = request.args.get("state")
    figure = library.figure(data, state)

    def draw() -> Body:
        svg = figure.draw(measure, classes, lang, layers, chosen)
        return Body(str(svg).encode(), "image/svg+xml")

    key = (data.plan.identity, "svg", measure, classes, lang, language(), layers, state, chosen)
    return library.shelf.get(key, draw)


def _markup(drawing: Body) -> Markup:
    return Markup(drawing.content.decode())  # escaped where it was drawn


def _chosen() -> tuple[str, str] | None:
    """The district or site that the query names; None for neither."""
    asked = [(kind, request.args[kind]) for kind in ("district", "site") if kind in request.args]
    if len(asked) > 1:
        refuse(400, "name one district or one site: ?district=STATE/DISTRICT or ?site=SITE_ID")
    return asked[0] if asked else None


def sweep_of(key: str) -> str | None:
    """The sweep that a plan is a member of."""
    return key.rpartition(SEPARATOR)[0] or None


def files(plan: PlanTables) -> list[str]:
    """Files of a result that may be downloaded."""
    return [name for name in DOWNLOADS if (plan.path / name).is_file()]


def written(plan: PlanTables) -> str:
    """When a plan was written, UTC."""
    moment = datetime.fromtimestamp(plan.stamp / 1e9, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
