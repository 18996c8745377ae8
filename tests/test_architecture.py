"""What keeps the structure honest beside import-linter: where things may be done, how long they may get, their names.

Each list names every place that is allowed and why; a new place is a decision, made here in the open.
"""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = ("ingest", "scoring", "alerts")
MOST_LINES_A_FILE = 250
MOST_LINES_A_FUNCTION = 50

# Who may call what: the end of the called name -> files.
CALLS = {
    ".commit": ["shared/db.py"],
    "asyncio.sleep": [
        "shared/config.py",  # follows its topic, before there is a loop
        "shared/db.py",  # waits for its turn to migrate
        "shared/loops.py",  # gives the others their turn between two passes
        "shared/log/kafka_lanes.py",  # before the same is tried again
        "shared/log/kafka_reader.py",  # reads nothing for as long as it is told
        "shared/log/kafka_topics.py",  # waits for the leaders of what it has just made
    ],
    "time.sleep": ["shared/embedded_postgres.py", "shared/postgres_cluster.py"],  # wait for another process's end
    "datetime.now": ["shared/clock.py", "services/__main__.py"],
    "datetime.utcnow": [],
    "time.time": ["shared/log/*.py", "services/backing.py"],  # retention goes by the wall clock of the disk's machine
    "time.monotonic": [
        "shared/clock.py",
        "shared/log/*.py",
        "shared/embedded_postgres.py",
        "shared/postgres_cluster.py",
    ],
    "time.time_ns": ["shared/otlp.py"],  # spans are stamped with the machine's clock
    "create_async_engine": ["shared/db.py"],
    "os.getenv": [],
}
# Who may import what.
LIBRARIES = {
    "aiokafka": ["shared/log/kafka*.py"],
    "opentelemetry": ["shared/otlp.py"],
    "httpx": [
        "services/rights.py",
        "services/sources.py",
        "services/ingest/imports/*.py",
        "services/ingest/pulling/*.py",
        "services/alerts/channels/*.py",
        "services/demo*",
    ],
    "alembic": ["shared/schema.py", "shared/migrations/env.py", "services/*/migrations/m*.py"],
    "standardwebhooks": ["services/alerts/channels/*.py"],
    "typer": [
        "services/options.py",
        "services/rights.py",
        "services/sources.py",
        "services/upkeep.py",
        "services/__main__.py",
    ],
    "uvicorn": ["services/answering.py", "services/direct.py", "services/segments.py"],
}
# The demo is a customer like any other: it knows what a sender can know.
HIDDEN_FROM_THE_DEMO = (
    "services.ingest",
    "services.scoring",
    "services.alerts",
    "shared.db",
    "shared.log",
    "shared.consumer",
)
# What holds a state of its own is made by whoever wires, never at import.
STATEFUL = ("Settings", "Database", "Log", "Store", "Client", "Engine", "Worker", "Loop", "FastAPI", "Lock", "Event")
MEANINGLESS = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc", "base", "stuff"}


def source_files() -> list[Path]:
    return sorted(path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py"))


FILES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in source_files()}
TREES = {name: ast.parse(text) for name, text in FILES.items()}


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno


def allowed(name: str, places: list[str]) -> bool:
    return any(fnmatch(name, place) for place in places)


@pytest.mark.parametrize("call", CALLS)
def test_is_called_only_where_it_may_be(call: str) -> None:
    found = [
        f"{name}:{line} {called}"
        for name, tree in TREES.items()
        if not allowed(name, CALLS[call])
        for called, line in calls(tree)
        if called == call or called.endswith(call if call.startswith(".") else f".{call}")
    ]
    assert not found


@pytest.mark.parametrize("library", LIBRARIES)
def test_is_imported_only_where_it_may_be(library: str) -> None:
    found = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        if not allowed(name, LIBRARIES[library])
        for module, line in imports(tree)
        if module.split(".")[0] == library
    ]
    assert not found


def test_the_demo_uses_the_http_api_alone() -> None:
    found = [
        f"{name}:{line} {module}"
        for name, tree in TREES.items()
        if name.startswith("services/demo")
        for module, line in imports(tree)
        if module.startswith(HIDDEN_FROM_THE_DEMO)
    ]
    assert not found


def test_files_are_short() -> None:
    assert not [name for name, text in FILES.items() if len(text.splitlines()) > MOST_LINES_A_FILE]


def test_functions_are_short() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}: {lines} lines"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_A_FUNCTION
    ]
    assert not long


def test_files_say_what_they_promise() -> None:
    assert not [name for name, text in FILES.items() if text and not ast.get_docstring(TREES[name])]


def test_nothing_stateful_is_made_at_import() -> None:
    made = [
        f"{name}:{statement.lineno} {called}"
        for name, tree in TREES.items()
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value
        for called, _ in calls(statement.value)
        if called.rsplit(".", 1)[-1].endswith(STATEFUL)
    ]
    assert not made
    assert not [name for name, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.Global)]


def test_names_say_what_is_inside() -> None:
    parts = {
        part: name for name in FILES for part in Path(name).with_suffix("").as_posix().replace("_", "/").split("/")
    }
    assert not [parts[part] for part in MEANINGLESS & parts.keys()]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_files_of_every_service(service: str) -> None:
    folder = ROOT / "services" / service
    wanted = {"app.py", "settings.py", "api.py"}
    if (folder / "migrations").exists():  # it owns a database
        wanted |= {"handlers.py", "models.py", "store"}
    assert wanted <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_built_by_its_app_from_its_settings(service: str) -> None:
    defined = {
        node.name: node for node in TREES[f"services/{service}/app.py"].body if isinstance(node, ast.FunctionDef)
    }
    settings, *_ = defined["build"].args.args
    assert settings.annotation
    assert ast.unparse(settings.annotation) == f"{service.capitalize()}Settings"


@pytest.mark.parametrize("service", ["scoring", "alerts"])
def test_what_a_service_reacts_to_stands_at_the_foot_of_its_handlers(service: str) -> None:
    last = TREES[f"services/{service}/handlers.py"].body[-1]
    assert isinstance(last, ast.FunctionDef)
    assert last.name == "subscriptions"


@pytest.mark.parametrize("service", ["scoring", "alerts"])
def test_tables_of_a_service_have_a_registry_of_their_own(service: str) -> None:
    """SQLModel's default metadata is global: two services in one process would share it."""
    classes = [node for node in TREES[f"services/{service}/models.py"].body if isinstance(node, ast.ClassDef)]
    owners = [node for node in classes if any(keyword.arg == "registry" for keyword in node.keywords)]
    assert [ast.unparse(base) for owner in owners for base in owner.bases] == ["SQLModel"]
    assert all("SQLModel" not in map(ast.unparse, node.bases) for node in classes if node not in owners)


def test_every_place_in_the_lists_exists() -> None:
    """A pattern that matches no file guards nothing."""
    places = {place for table in (CALLS, LIBRARIES) for listed in table.values() for place in listed}
    assert not [place for place in places if not any(allowed(name, [place]) for name in FILES)]
