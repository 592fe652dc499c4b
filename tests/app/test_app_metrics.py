"""Metrics: requests by route and answer, what the database says is undone; for whom they are, and what they never say."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app import metrics
from app.main import VERSION, create_app
from tests.issuers import batch_rows
from tests.records.tables import alter, findings
from tests.world import COUNTER, ITEM, PARENT, World

INSIDE = ("127.0.0.1", 50_000)


@pytest.fixture
def scraper(world: World) -> Iterator[TestClient]:
    """A client on this machine, of an app of its own."""
    app = create_app(world.house, now=lambda: world.now)
    with TestClient(app, "http://10.0.0.7:8080", client=INSIDE, raise_server_exceptions=False) as http:
        yield http


def _scrape(http: TestClient, **how: Any) -> dict[str, float]:
    """What Prometheus would make of it: name and labels → value."""
    got = http.get("/metrics", **how)
    assert got.status_code == 200, got.text
    return {
        f"{one.name}{{{','.join(f'{key}={value}' for key, value in sorted(one.labels.items()))}}}": one.value
        for family in text_string_to_metric_families(got.text)
        for one in family.samples
    }


def test_requests_are_counted_by_route_and_answer(world: World, scraper: TestClient) -> None:
    """A refusal counts under its problem's code, its route's template and its status; nothing is in flight but us."""
    headers = {"Host": "127.0.0.1:8080"}
    scraper.get("/wallet/licences", headers=headers)
    scraper.get("/issuers/police/licences/abc", headers=headers)
    scraper.request("BREW", "/nowhere/at/all", headers=headers)
    said = _scrape(scraper)
    total = "licence_http_requests_total"
    assert said[f"{total}{{method=GET,problem=token_refused,route=/wallet/licences,status=401}}"] == 1
    refused = (
        f"{total}{{method=GET,problem=token_refused,route=/issuers/{{agency}}/licences/{{licence_id}},status=401}}"
    )
    assert said[refused] == 1
    assert said[f"{total}{{method=other,problem=not_found,route=-,status=404}}"] == 1
    assert said["licence_http_request_seconds_count{method=GET,route=/wallet/licences}"] == 1
    assert said["licence_http_in_flight{}"] == 1
    assert said[f"licence_build_info{{version={VERSION}}}"] == 1
    assert said["process_resident_memory_bytes{}"] > 0
    del world


def test_what_is_undone(world: World, scraper: TestClient) -> None:
    """The database's gauges say what waits, since when."""
    hook = {"owner": "agency:police", "url": "https://hooks.example/x", "types": ["licence.revoked"]}
    world.agency("police")
    assert world.operator.post("/admin/webhooks", hook).status == 201
    world.change("revoke", world.issue(), "moved_away")
    world.house.log.checkpoint(now=world.now)
    world.issue()
    alter(world, "UPDATE status_list SET version = version + 1")
    world.wait(100)
    said = _scrape(scraper)
    assert said["licence_database_up{}"] == 1
    assert said["licence_outbox_waiting{}"] >= 1
    assert said["licence_outbox_dead{}"] == 0
    assert said["licence_oldest_undelivered_event_seconds{}"] == 100
    assert said["licence_status_list_age_seconds{}"] == 100
    assert said["licence_status_lists_behind{}"] == 1
    assert said["licence_checkpoint_age_seconds{}"] == 100
    assert said["licence_unlogged_acts{}"] >= 1
    assert {f"{name}{{}}" for name in metrics.GAUGES} <= set(said)


def test_batches_that_wait(world: World, scraper: TestClient) -> None:
    """Rows count until they are in their wallets, a job from when it came; one that is held up is told, with why."""
    batch_rows.send(world, batch_rows.ndjson([batch_rows.row(number) for number in range(3)]))
    world.wait(100)
    said = _scrape(scraper)
    assert said["licence_batch_rows_waiting{}"] == 3
    assert said["licence_oldest_batch_seconds{}"] == 100
    assert said["licence_batches_held_up{}"] == 0
    alter(world, "UPDATE batch_chunk SET waits_for = 'no_signing_key'")
    world.wait(metrics.KEPT.total_seconds())
    assert _scrape(scraper)["licence_batches_held_up{}"] == 1
    assert any("waits: no_signing_key" in told for name, told in findings(world) if name == "batches go on")
    batch_rows.work(world)
    world.wait(metrics.KEPT.total_seconds())
    said = _scrape(scraper)
    names = ("licence_batch_rows_waiting", "licence_oldest_batch_seconds", "licence_batches_held_up")
    assert [said[f"{one}{{}}"] for one in names] == [0, 0, 0]
    assert findings(world) == []


def test_dead_deliveries_of_ended_webhooks_are_nobodys(world: World, scraper: TestClient) -> None:
    """What was given up is told until its webhook is ended."""
    hook = {"owner": "agency:police", "url": "https://hooks.example/x", "types": ["licence.revoked"]}
    world.agency("police")
    made = world.operator.post("/admin/webhooks", hook)
    world.change("revoke", world.issue(), "moved_away")
    world.house.outbox.work(lambda: world.now)
    assert alter(world, "UPDATE delivery SET dead_at = next_at, next_at = NULL") == 1
    assert _scrape(scraper)["licence_outbox_dead{}"] == 1
    world.operator.delete(f"/admin/webhooks/{made['webhook_id']}")
    world.wait(metrics.KEPT.total_seconds())
    assert _scrape(scraper)["licence_outbox_dead{}"] == 0


def test_the_database_is_asked_every_fifteen_seconds(world: World, scraper: TestClient) -> None:
    """Between two readings it is left alone."""
    world.change("revoke", world.issue(), "moved_away")
    assert _scrape(scraper)["licence_status_lists_behind{}"] == 0
    alter(world, "UPDATE status_list SET version = version + 1")
    world.wait(metrics.KEPT.total_seconds() - 1)
    assert _scrape(scraper)["licence_status_lists_behind{}"] == 0
    world.wait(1)
    assert _scrape(scraper)["licence_status_lists_behind{}"] == 1


def test_a_scrape_without_a_database(world: World, scraper: TestClient) -> None:
    """A scrape answers all the same, says that the database is down, and nothing of what only it knows."""
    alter(world, "ALTER TABLE status_list RENAME TO gone")
    said = _scrape(scraper)
    assert said["licence_database_up{}"] == 0
    assert not {name.partition("{")[0] for name in said} & set(metrics.GAUGES)
    assert "licence_http_in_flight{}" in said
    alter(world, "ALTER TABLE gone RENAME TO status_list")
    assert _scrape(scraper)["licence_database_up{}"] == 1


def test_a_scrape_of_a_database_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a database that does not answer in time a scrape says that it is down, and waits for it no longer."""
    monkeypatch.setattr(metrics, "PATIENCE_SECONDS", 0.0)
    app = create_app(world.house, now=lambda: world.now)
    with TestClient(app, client=INSIDE) as http:
        assert _scrape(http)["licence_database_up{}"] in {0, 1}
        collector = metrics._FromDatabase(world.house.database, lambda: world.now)
        asked: list[object] = []
        collector._ask = asked.append  # type: ignore[method-assign]
        assert next(iter(collector.collect())).samples[0].value == 0
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.0.2.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("no address", {}),
    ],
)
def test_who_is_told_nothing(world: World, peer: str, headers: dict[str, str]) -> None:
    """Somebody from elsewhere, and whoever comes through a proxy on this machine, finds nothing at the address."""
    app = create_app(world.house, now=lambda: world.now)
    with TestClient(app, client=(peer, 1)) as http:
        got = http.get("/metrics", headers=headers)
    assert (got.status_code, got.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("peer", ["10.244.1.9", "::ffff:10.244.1.9", "fd00::9"])
def test_who_is_told(world: World, peer: str) -> None:
    """Networks of the settings are told, an IPv4 address written as an IPv6 one too."""
    house = world.build(metrics_from="10.244.0.0/16, fd00::/8")
    with TestClient(create_app(house, now=lambda: world.now), client=(peer, 1)) as http:
        assert http.get("/metrics").status_code == 200
    with TestClient(create_app(house, now=lambda: world.now), client=INSIDE) as http:
        assert http.get("/metrics").status_code == 404


def test_no_label_is_personal(world: World) -> None:
    """Nobody's name, number or code stands in what a whole story leaves behind."""
    licence_id = world.issue()
    shown = world.show(licences=[{"licence_id": licence_id, "claims": []}])
    world.scan(shown["url"])
    world.anybody.get(f"/issuers/police/licences/{licence_id}")
    app = create_app(world.house, now=lambda: world.now)
    with TestClient(app, client=INSIDE) as http:
        http.get(f"/wallet/licences/{licence_id}", headers={"Authorization": f"Bearer {world.holder().token}"})
        http.get("/verifier/counter", headers={"Authorization": f"Bearer {world.counter().token}"})
        text = http.get("/metrics").text
    person = world.person(PARENT)
    for secret in (licence_id, person["code"], person["name"], world.holder().subject, COUNTER, ITEM, "police"):
        assert secret not in text
    del shown


def test_lists_that_nobody_asks_for_are_signed_anew(world: World) -> None:
    """A list that grew old is signed anew by itself, so that an old one means trouble."""
    world.change("revoke", world.issue(), "moved_away")
    world.wait(200)
    assert world.house.publisher.publish_due(now=world.now) == 0
    world.wait(200)
    assert world.house.publisher.publish_due(now=world.now) == 1
    assert world.house.publisher.publish_due(now=world.now) == 0
