"""The manifests as data, and as kustomize puts them together where it is installed. No cluster runs here."""

import shutil
import subprocess
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from services.answering import _DRAIN_SECONDS
from services.running import _STOP_SECONDS, PORTS
from tests.deploy.documents import DEPLOY, NOT_OURS, is_pinned, known_names, read
from tests.deploy.test_compose import CONTAINERS
from tests.e2e.processes import PROJECT

FOLDER = DEPLOY / "k8s"
(KUSTOMIZATION,) = read(FOLDER / "kustomization.yaml")
FILES = [name for name in KUSTOMIZATION["resources"] if name.endswith(".yaml")]
OBJECTS = [found for name in FILES for found in read(FOLDER / name)]
SERVICES = ("ingest", "scoring", "alerts")


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in OBJECTS if found["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload."""
    kinds = ("StatefulSet", "Deployment", "Job")
    return {name: found["spec"]["template"]["spec"] for kind in kinds for name, found in named(kind).items()}


PODS = pods()
LASTING = [name for name in PODS if not name.startswith("prepare")]


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["containers"]
    return dict(only)


def test_all_of_them_are_there() -> None:
    assert set(named("StatefulSet")) == {"ingest"}
    assert set(named("Deployment")) == {"scoring", "alerts", "proxy"}
    assert set(named("Ingress")) == set(named("Namespace")) == {"petla"}
    assert {*FILES, "kustomization.yaml", "secret.example.yaml"} == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", PODS)
def test_nobody_has_more_rights_than_needed(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # a Service would become variables that we might read
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == (101 if name == "proxy" else 10001)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == set(container(name)["resources"])


def test_images_are_pinned_and_ours_is_of_this_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    (image,) = KUSTOMIZATION["images"]
    assert image["newTag"] == version
    assert is_pinned(f"{image['newName']}:{image['newTag']}")
    assert list(named("Job")) == [f"prepare-{version.replace('.', '-')}"]
    assert container("proxy")["image"] == CONTAINERS["proxy"]["image"]
    assert {container(name)["image"] for name in PODS if name != "proxy"} == {image["name"]}


@pytest.mark.parametrize("name", LASTING)
def test_everyone_says_how_it_is_and_has_time_to_end(name: str) -> None:
    probes = {"liveness": "/docs", "readiness": "/docs"}
    if name in SERVICES:
        probes = {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    for probe, path in probes.items():
        assert container(name)[f"{probe}Probe"]["httpGet"]["path"] == path
    _, before = container(name)["lifecycle"]["preStop"]["exec"]["command"]
    ending = _DRAIN_SECONDS + _STOP_SECONDS
    assert PODS[name]["terminationGracePeriodSeconds"] >= int(before) + ending + 10


def test_a_node_that_is_emptied_leaves_one_of_each() -> None:
    budgets = named("PodDisruptionBudget")
    assert set(budgets) == {*SERVICES, "proxy"}
    for name, budget in budgets.items():
        workload = named("StatefulSet").get(name) or named("Deployment")[name]
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"] == workload["spec"]["selector"]["matchLabels"] == labels
        assert budget["spec"]["minAvailable"] < workload["spec"]["replicas"]


def test_every_variable_is_a_setting() -> None:
    given = set(named("ConfigMap")["settings"]["data"]) | set(read(FOLDER / "secret.example.yaml")[0]["stringData"])
    for name in PODS:
        own = {variable["name"] for variable in container(name).get("env", [])}
        given |= {variable for variable in own if name != "proxy" or not NOT_OURS.fullmatch(variable)}
    assert given <= known_names()
    assert {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "KAFKA_SASL_PASSWORD"} <= given


def test_what_is_secret_stands_in_no_manifest() -> None:
    settings = named("ConfigMap")["settings"]["data"]
    assert not [name for name in settings if "PASSWORD" in name or "SECRET" in name or name.endswith("DATABASE_URL")]
    for name in PODS:
        if name != "proxy":
            assert container(name)["envFrom"] == [
                {"configMapRef": {"name": "settings"}},
                {"secretRef": {"name": "petla"}},
            ]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_reached_at_its_port(name: str) -> None:
    assert container(name)["args"] == ["up", name]
    assert {"name": "PETLA_PORT", "value": str(PORTS[name])} in container(name)["env"]
    assert container(name)["ports"] == [{"name": "http", "containerPort": PORTS[name]}]
    (port,) = named("Service")[name]["spec"]["ports"]
    assert port["port"] == PORTS[name]


def test_the_spill_has_a_volume_of_its_own_in_every_process() -> None:
    (claim,) = named("StatefulSet")["ingest"]["spec"]["volumeClaimTemplates"]
    assert {"name": claim["metadata"]["name"], "mountPath": "/var/lib/petla"} in container("ingest")["volumeMounts"]
    assert claim["metadata"]["name"] not in {volume["name"] for volume in PODS["ingest"]["volumes"]}
    assert named("StatefulSet")["ingest"]["spec"]["serviceName"] in named("Service")


@pytest.mark.parametrize("name", PODS)
def test_all_that_is_written_is_mounted(name: str) -> None:
    writable = {mount["mountPath"] for mount in container(name)["volumeMounts"] if not mount.get("readOnly")}
    assert writable == ({"/tmp"} if name == "proxy" else {"/var/lib/petla", "/tmp"})


def test_the_proxy_is_the_one_of_compose() -> None:
    """It knows the paths; the Ingress sends it everything."""
    told = {variable["name"]: variable["value"] for variable in container("proxy")["env"]}
    in_compose = CONTAINERS["proxy"]["environment"]
    assert set(told) == set(in_compose)
    for name in SERVICES:
        assert f"{told[f'PROXY_{name.upper()}']} resolve" == in_compose[f"PROXY_{name.upper()}"]
    assert container("proxy")["args"] == CONTAINERS["proxy"]["command"]
    uploads = named("Service")["ingest-uploads"]["spec"]
    assert told["PROXY_UPLOADS"] == f"ingest-uploads:{uploads['ports'][0]['port']}"
    assert uploads["selector"] == {
        **named("Service")["ingest"]["spec"]["selector"],
        "statefulset.kubernetes.io/pod-name": f"{named('StatefulSet')['ingest']['metadata']['name']}-0",
    }
    (rule,) = named("Ingress")["petla"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"]["name"] == "proxy"
    assert "21m" in named("Ingress")["petla"]["metadata"]["annotations"].values()


@pytest.fixture(scope="module")
def built() -> list[Any]:
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl on this machine")
    done = subprocess.run([program, "kustomize", FOLDER], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(YAML(typ="safe").load_all(done.stdout))


def test_kustomize_puts_them_together(built: list[Any]) -> None:
    namespaces = {found["metadata"].get("namespace") for found in built if found["kind"] != "Namespace"}
    assert namespaces == {"petla"}
    (made,) = (found for found in built if found["kind"] == "ConfigMap" and "nginx.conf.template" in found["data"])
    template = (DEPLOY / "proxy" / "nginx.conf.template").read_text(encoding="utf-8")
    assert made["data"]["nginx.conf.template"] == template
    (proxy,) = (found for found in built if found["kind"] == "Deployment" and found["metadata"]["name"] == "proxy")
    mounted = {volume["name"]: volume for volume in proxy["spec"]["template"]["spec"]["volumes"]}
    assert mounted["configuration"]["configMap"]["name"] == made["metadata"]["name"]
