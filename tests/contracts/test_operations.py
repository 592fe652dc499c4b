"""What operators are handed is true: dashboards name metrics that exist, runbooks commands that exist, manifests parse."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from app import doctor, metrics
from app.cli.main import commands
from app.permissions import TABLE
from app.settings import Settings
from keys.models import KeyPurpose

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCS = [ROOT / "docs/runbooks.md", ROOT / "docs/operations.md"]
DASHBOARD = json.loads((DEPLOY / "grafana/licence-wallet.json").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
FOREIGN = {"up", "node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Metrics of Prometheus and of node_exporter."""
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def _ours() -> set[str]:
    """Every name that a scrape may hold."""
    registry = CollectorRegistry()
    metrics.ProcessMetrics(registry)
    ProcessCollector(registry=registry)
    told = {"licence_build_info", "licence_http_request_seconds_bucket", metrics.UP[0], *metrics.GAUGES}
    for family in registry.collect():
        told |= {family.name, f"{family.name}_total"} if family.type == "counter" else {family.name}
    return told


def _named(expression: str) -> set[str]:
    """The metrics of an expression: names that are no function, label or word of PromQL."""
    unquoted = re.sub(r"\"[^\"]*\"", '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without)\s*\([^)]*\)|\"\"", " ", unquoted)
    return {one for one in re.findall(r"[a-z_][a-z0-9_]*\b(?!\s*\()", bare) if "_" in one or one == "up"}


def _expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"]["query"] for one in DASHBOARD["templating"]["list"] if isinstance(one["query"], dict))


@pytest.mark.parametrize("expression", sorted(set(_expressions())))
def test_every_metric_exists(expression: str) -> None:
    """An expression names metrics that a scrape has, and no others."""
    named = _named(expression)
    assert named
    assert named <= _ours() | FOREIGN


def test_the_reading_of_expressions_finds_names() -> None:
    """A metric that is not there would be found, whatever stands around it."""
    told = 'histogram_quantile(0.9, sum by (le) (rate(licence_gone_bucket{route!~".*/{id}|x"}[5m]))) > up'
    assert _named(told) == {"licence_gone_bucket", "up"}


def test_every_metric_of_the_database_is_looked_at() -> None:
    """Each gauge is in the dashboard; each but what only explains another has an alert."""
    shown = set().union(*(_named(target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]))
    assert {*metrics.GAUGES, metrics.UP[0]} <= shown
    alerted = set().union(*(_named(rule["expr"]) for rule in RULES))
    assert set(metrics.GAUGES) - alerted == {"licence_outbox_waiting"}


def _anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in titles}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """An alert has a sentence in Chinese and in English, and a runbook that is there."""
    said = rule["annotations"]
    assert re.search(r"[\u4e00-\u9fff]", said["summary_zh"])
    assert said["summary"].isascii()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    file, _, anchor = said["runbook"].partition("#")
    assert anchor in _anchors(ROOT / file)


@pytest.mark.parametrize("file", [*DOCS, ROOT / "README.md"], ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    """A link inside of the repository leads to a file and a heading that are there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            path, _, anchor = target.partition("#")
            there = (file.parent / path).resolve() if path else file
            assert there.exists(), target
            assert not anchor or anchor in _anchors(there), target


def _commands() -> Iterator[str]:
    for file in DOCS:
        text = file.read_text(encoding="utf-8")
        found = re.findall(r"`((?:[A-Z_]+=\S+ )?licence [a-z][^`]*)`", text) + re.findall(
            r"^ *(licence .+)$", text, re.MULTILINE
        )
        yield from {" ".join(one.split()) for one in found}


@pytest.mark.parametrize("said", sorted(set(_commands())))
def test_every_command_exists(said: str) -> None:
    """A command that a runbook names is there, and takes what it is given."""
    words = [one for one in shlex.split(said, comments=True) if "=" not in one.partition("-")[0]][1:]
    command: Any = typer.main.get_command(commands())
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    options = {name: one for one in command.params for name in one.opts if one.param_type_name == "option"}
    named = [one for one in words if one.startswith("--")]
    assert set(named) <= options.keys()
    valued = sum(not getattr(options[one], "is_flag", False) for one in named)
    given = sum(not one.startswith("-") and one != "…" for one in words) - valued
    takes = sum(one.param_type_name == "argument" for one in command.params)
    assert given <= takes, said


def test_every_call_exists() -> None:
    """An address that a runbook calls is a route of the service."""
    text = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    patterns = [re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", row.partition(" ")[2])) for row in TABLE]
    calls = re.findall(r"\$LICENCE_BASE_URL(/[^\s`]+)", text)
    assert calls
    assert [one for one in calls if not any(pattern.fullmatch(one) for pattern in patterns)] == []
    assert KeyPurpose.STATUS_LIST in text


def test_every_next_step_exists() -> None:
    """Where the doctor sends whoever asks it there is such a page, and each check says what to do in both languages."""
    titles = set(re.findall(r"(?m)^## (.+)$", (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")))
    for one in doctor.SHALLOW + doctor.DEEP:
        assert re.search("[\u4e00-\u9fff]", one.zh)
        assert set(re.findall(r'"([^"]+)" in docs/runbooks', one.en)) <= titles
        assert set(re.findall(r"“([^”]+)”", one.zh)) <= titles
        assert doctor.next_step(one.name) == {"zh": one.zh, "en": one.en}


def test_every_setting_exists() -> None:
    """A setting that documents, compose and manifests name is one."""
    known = {f"LICENCE_{name.upper()}" for name in Settings.model_fields} | {
        "LICENCE_URL",
        "LICENCE_TOKEN",
        "LICENCE_LIMIT",
    }
    for file in [*DOCS, ROOT / "README.md", ROOT / "compose.yaml", *MANIFESTS, *(DEPLOY / "nginx").iterdir()]:
        named = set(re.findall(r"LICENCE_[A-Z0-9_]*[A-Z0-9]", file.read_text(encoding="utf-8")))
        assert named - known <= {"LICENCE_ID", "LICENCE_OIDC"}, file
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in map(str.upper, Settings.model_fields):
        short = [f"`…{name[at:]}`" for at, letter in enumerate(name) if letter == "_"]  # behind one that begins alike
        assert f"`LICENCE_{name}`" in readme or any(one in readme for one in short), name


def test_compose() -> None:
    """Three workers behind one proxy that alone is reached from outside; each locked down, on the settings of all."""
    made = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = made["services"]
    workers = [one for name, one in services.items() if name.startswith("worker-")]
    assert len(workers) == 3
    upstream = (DEPLOY / "nginx/upstream.conf").read_text(encoding="ascii")
    assert re.findall(r"server (worker-[0-9]):8080", upstream) == [one for one in services if one.startswith("worker-")]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    for one in [*workers, services["background"], services["proxy"]]:
        assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    network = made["networks"]["default"]["ipam"]["config"][0]
    subnet, others = network["subnet"], ip_network(network["ip_range"])
    own = [ip_address(one["networks"]["default"]["ipv4_address"]) for one in workers]
    assert len(set(own)) == len(workers)
    assert all(one in ip_network(subnet) and one not in others for one in own)  # or a worker made anew is not found
    assert all("--no-work" in one["command"] for one in workers)
    background = services["background"]
    assert (background["command"][0], background["deploy"]["replicas"]) == ("worker", 2)
    assert "--port" in background["command"], "or nobody is told of duties that fail"
    processes = len(workers) + background["deploy"]["replicas"]
    assert processes * int(background["environment"]["LICENCE_DATABASE_CONNECTIONS"]) < 97  # three are the superuser's
    for one in [*workers, background]:
        assert subnet in one["environment"]["LICENCE_TRUSTED_PROXIES"]
        assert one["environment"] == services["migrate"]["environment"]
        assert one["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_proxy() -> None:
    """The proxy keeps /metrics inside, the Host header, and the caller's address; it logs no request."""
    said = (DEPLOY / "nginx/nginx.conf").read_text(encoding="ascii")
    assert re.search(r"location = /metrics \{\s*return 404;", said)
    for line in (
        "proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "access_log off;", "error_log /dev/stderr crit;", "proxy_buffering off;",
    ):  # fmt: skip
        assert line in said


def _objects() -> dict[tuple[str, str], dict[str, Any]]:
    found = [one for file in MANIFESTS for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    return {(one["kind"], one.get("metadata", {}).get("name", "")): one for one in found}


def test_kubernetes() -> None:
    """The manifests hold together: probes, secrets, budgets, and pods that may do nothing they need not."""
    made = _objects()
    listed = made["Kustomization", ""]["resources"]
    assert all((DEPLOY / "kubernetes" / one).exists() for one in listed)
    assert "secrets.example.yaml" not in listed
    deployment = made["Deployment", "licence-wallet"]["spec"]
    assert deployment["replicas"] == 3
    pod = deployment["template"]["spec"]
    worker = pod["containers"][0]
    assert worker["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {worker[one]["httpGet"]["path"] for one in ("livenessProbe", "startupProbe")} == {"/healthz"}
    assert made["PodDisruptionBudget", "licence-wallet"]["spec"]["minAvailable"] < deployment["replicas"]
    assert made["HorizontalPodAutoscaler", "licence-wallet"]["spec"]["minReplicas"] == deployment["replicas"]
    secret = made["Secret", "licence-wallet"]["stringData"]
    behind = made["Deployment", "licence-wallet-background"]["spec"]
    by_itself = behind["template"]["spec"]["containers"][0]
    assert ("--no-work" in worker["args"], by_itself["args"][0], "--port" in by_itself["args"]) == (
        True,
        "worker",
        True,
    )
    assert by_itself["livenessProbe"]["httpGet"]["path"] == "/healthz"
    pods = (
        2 + made["HorizontalPodAutoscaler", "licence-wallet"]["spec"]["maxReplicas"] + behind["replicas"]
    )  # two roll out
    assert pods * int(made["ConfigMap", "licence-wallet"]["data"]["LICENCE_DATABASE_CONNECTIONS"]) < 100
    budget = made["PodDisruptionBudget", "licence-wallet-background"]["spec"]
    assert budget["minAvailable"] < behind["replicas"]
    for policy in ("licence-wallet-background", "licence-wallet-migrate"):
        assert made["NetworkPolicy", policy]["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": policy}
    for one in (pod, behind["template"]["spec"], made["Job", "licence-wallet-migrate"]["spec"]["template"]["spec"]):
        assert one["securityContext"]["runAsNonRoot"] is True
        assert one["automountServiceAccountToken"] is False
        for container in [*one["initContainers"], *one["containers"]]:
            locked = container["securityContext"]
            assert (locked["readOnlyRootFilesystem"], locked["allowPrivilegeEscalation"]) == (True, False)
            assert locked["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} <= container["resources"].keys()
            for value in container.get("env", []):
                assert value["valueFrom"]["secretKeyRef"]["key"] in secret
    labels = deployment["template"]["metadata"]["labels"]
    for kind in ("Service", "NetworkPolicy"):
        spec = made[kind, "licence-wallet"]["spec"]
        wanted = spec["selector"] if kind == "Service" else spec["podSelector"]["matchLabels"]
        assert wanted.items() <= labels.items()
    assert made["ServiceMonitor", "licence-wallet"]["spec"]["endpoints"][0]["path"] == "/metrics"


def test_restoring_stops_all_who_write() -> None:
    """Whatever signs or publishes by itself is named where the runbook says to stop every worker."""
    text = " ".join((ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8").split())
    step = text[text.index("1. Stop every worker") :].partition(" 2. Gather")[0]
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name, one in services.items():
        if (one.get("command") or [""])[0] in {"serve", "worker"}:
            assert f" {name}" in step, name
    for file in MANIFESTS:
        for one in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if one["kind"] == "Deployment" and "tools" not in one["metadata"]["name"]:
                assert f"deploy/{one['metadata']['name']}" in step, one["metadata"]["name"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
def test_kustomize_renders_it() -> None:
    """`kubectl kustomize` makes one set of objects of it, all in one namespace."""
    done = subprocess.run(["kubectl", "kustomize", DEPLOY / "kubernetes"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    assert len(made) == 13
    assert {one["metadata"]["namespace"] for one in made if one["kind"] != "Namespace"} == {"licence-wallet"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_prometheus_takes_the_rules() -> None:
    """Prometheus's own tool finds nothing wrong with rules and configuration."""
    for words in (["check", "rules", "alerts.yaml"], ["check", "config", "prometheus.yaml"]):
        done = subprocess.run(["promtool", *words], cwd=DEPLOY / "prometheus", capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
