"""Attack: ask too much, pretend to be many, pretend that this service has another name."""

import pytest

from app.limits import Counts, Shared, client, prefix
from app.main import create_app
from app.permissions import TABLE
from app.setting_values import SettingsError
from keys.auth import SESSION
from tests.world import World

TIGHT = {
    "limit_all": "1000/minute", "limit_address": "20/minute", "limit_caller": "8/minute", "limit_doors": "5/minute",
    "trusted_proxies": "10.0.0.0/8, 192.0.2.7",
}  # fmt: skip


def test_a_caller_that_asks_too_much(world: World) -> None:
    """Over its limit it is refused with Retry-After, in both languages; another caller goes on."""
    holder, other = world.holder(), world.agency("police")
    world.restart(**TIGHT)
    answers = [holder.get("/wallet/licences") for _ in range(10)]
    assert [one.status for one in answers] == [200] * 8 + [429] * 2
    refused = answers[-1]
    assert (refused["code"], refused.headers["content-type"]) == ("too_many_requests", "application/problem+json")
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert "Retry-After" in refused["message"]["zh"]
    assert other.get("/issuers/police/licences").status == 200


def test_a_secret_spelt_otherwise_is_the_same_caller(world: World) -> None:
    """Another case of the scheme, more spaces, a foreign cookie: one caller all the same."""
    holder = world.holder()
    world.restart(**TIGHT)
    spelt = ["Bearer {}", "bearer {}", "Bearer  {}", "BEARER {} "]
    sent = [{"Authorization": spelt[one % 4].format(holder.token), "Cookie": f"foreign={one}"} for one in range(10)]
    statuses = [world.anybody.get("/wallet/licences", headers=one).status for one in sent]
    assert 429 not in statuses[:8]
    assert statuses[8:] == [429, 429]


def test_a_session_is_one_caller_however_it_is_sent(world: World) -> None:
    """Beside invented cookies and tokens a session's own cookie counts still."""
    world.restart(**TIGHT)
    sent = [
        {
            "Cookie": f"{SESSION}=made-up-{one}; {SESSION}=real",
            **({"Authorization": f"Bearer {one}"} if one % 2 else {}),
        }
        for one in range(10)
    ]
    statuses = [world.anybody.get("/wallet/licences", headers=one).status for one in sent]
    assert statuses[8:] == [429, 429]


def test_what_is_refused_to_one_costs_the_others_nothing(world: World) -> None:
    """Calls over one caller's limit do not count against the limit of all."""
    holder, other = world.holder(), world.agency("police")
    world.restart(**TIGHT | {"limit_all": "12/minute", "limit_address": "100/minute"})
    assert [holder.get("/wallet/licences").status for _ in range(30)] == [200] * 8 + [429] * 22
    assert other.get("/issuers/police/licences").status == 200


def test_an_address_that_asks_too_much(world: World) -> None:
    """Guessing with ever new tokens is counted by address; probes are not counted."""
    world.restart(**TIGHT)
    statuses = [
        world.anybody.get("/wallet/licences", headers={"Authorization": f"Bearer guess-{one}"}).status
        for one in range(25)
    ]
    assert statuses == [401] * 20 + [429] * 5
    assert [world.anybody.get("/healthz").status for _ in range(30)] == [200] * 30


@pytest.mark.parametrize(
    "path", ["/wallet/sign-in/callback?code=x&state=y", "/issuers/police/authorize", "/wallet/sign-in"]
)
def test_the_doors_are_narrower(world: World, path: str) -> None:
    """Where callers come in, one address gets few tries."""
    world.agency("police")
    world.restart(**TIGHT)
    statuses = [world.anybody.get(path, follow_redirects=False).status for _ in range(8)]
    assert 429 not in statuses[:5]
    assert statuses[5:] == [429] * 3


def test_wallets_hear_it_in_their_protocol(world: World) -> None:
    """At OAuth's addresses the refusal is OAuth's, ASCII, with Retry-After."""
    world.agency("police")
    world.restart(**TIGHT)
    answers = [world.anybody.call("POST", path, data={}) for path in ("/issuers/police/token", "/oauth/token") * 4]
    assert answers[-1].status == 429
    assert answers[-1].body == {"error": "temporarily_unavailable", "error_description": "too_many_requests"}
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_all_together(world: World) -> None:
    """The last limit is everybody's."""
    world.restart(**TIGHT | {"limit_all": "3/minute", "limit_address": "100/minute"})
    assert [world.anybody.get("/keys/operator").status for _ in range(5)] == [200] * 3 + [429] * 2


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "6.6.6.6, 198.51.100.1, 192.0.2.7", "198.51.100.1"),
        ("10.1.2.3", "6.6.6.6, nonsense", "nonsense"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", ", ,", "10.1.2.3"),
        ("10.1.2.3", ", ".join(["10.0.0.1"] * 40), "10.0.0.1"),
        ("testclient", "198.51.100.1", "testclient"),
    ],
)
def test_only_trusted_proxies_say_whose_call_it_is(peer: str, forwarded: str, whose: str) -> None:
    """X-Forwarded-For counts from the right, as long as the hop before is a proxy that the settings name."""
    from ipaddress import ip_network  # noqa: PLC0415 - only here

    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())] if forwarded else []}
    assert client(scope, [ip_network("10.0.0.0/8"), ip_network("192.0.2.7")]) == whose


def test_a_customer_s_addresses_count_as_one() -> None:
    """IPv6 gives everybody 2^72 addresses: a whole /56 is one."""
    assert prefix("2001:db8:1:2::1") == prefix("2001:db8:1:ff::ffff") == "2001:db8:1::/56"
    assert prefix("2001:db8:1:100::1") != prefix("2001:db8:1:2::1")
    assert prefix("198.51.100.1") != prefix("198.51.100.2")
    assert prefix("::ffff:198.51.100.1") == prefix("198.51.100.1")
    assert prefix("garbage") == "unknown"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "evil.example:8080", "127.0.0.1@evil.example", "", "[", "a b",
        "127.0.0.1:8080/evil", "127.0.0.1, evil.example", "\xff",
    ],
)  # fmt: skip
def test_another_name(world: World, host: str) -> None:
    """A Host header that is not this service's is refused, at every address, and echoed nowhere."""
    for path in ("/keys/operator", "/wallet/sign-in", "/docs", "/nowhere", "/issuers/police/token"):
        answer = world.anybody.get(path, headers={"Host": host.encode("latin-1")}, follow_redirects=False)  # type: ignore[dict-item]
        assert answer.status == 421, (path, answer.body)
        assert "evil" not in str(answer.body) + str(answer.headers)


def test_names_that_are_ours(world: World) -> None:
    """The public address, further names of the settings, and on loopback each of its names."""
    for host in ("127.0.0.1:8080", "localhost", "[::1]:8080", "127.0.0.1"):
        assert world.anybody.get("/keys/operator", headers={"Host": host}).status == 200
    world.restart(base_url="https://wallet.city.example", demo=False, extra_hosts="Wallet-Internal.example")
    for host, status in (("wallet.city.example", 200), ("WALLET-internal.EXAMPLE:443", 200), ("localhost", 421)):
        assert world.anybody.get("/keys/operator", headers={"Host": host}).status == status


def test_no_page_redirects_by_the_host(world: World) -> None:
    """A slash too many is not redirected to a name from the request."""
    for operation in TABLE:
        path = operation.split(" ")[1]
        if "{" not in path:
            answer = world.anybody.get(f"{path}/", follow_redirects=False)
            assert answer.status not in {301, 302, 307, 308}, path


def test_a_storage_that_cannot_count_so_does_not_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is none, whose package is missing, or that knows no sliding window: refused before anything is served."""
    for where in ("nope", "nope://:hunter2@127.0.0.1:1", "redis://:hunter2@127.0.0.1:none"):
        with pytest.raises(SettingsError, match="LICENCE_LIMITS_STORAGE") as refused:
            create_app(world.build(limits_storage=where))
        assert "hunter2" not in str(refused.value)
    monkeypatch.setattr("app.limits.storage_from_string", lambda _where, **_: object())
    with pytest.raises(SettingsError, match="LICENCE_LIMITS_STORAGE"):
        create_app(world.build(limits_storage="etcd://somewhere"))


def test_counts_that_are_away_refuse_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the shared counts are away each worker counts for itself; they are asked again after a moment, not each time."""
    now, asked = [0.0], []
    monkeypatch.setattr("app.limits.monotonic", lambda: now[0])
    shared, own = Counts(lambda: 1000.0), Counts(lambda: 1000.0)

    class Breaking(Counts):
        """Shared counts that can be away."""

        away = False

        def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
            asked.append(key)
            if self.away:
                raise ConnectionError
            return shared.acquire_sliding_window_entry(key, limit, expiry, amount)

    there = Breaking(lambda: 1000.0)
    counts = Shared(there, own, ConnectionError)
    assert [counts.acquire_sliding_window_entry("a", 2, 60) for _ in range(3)] == [True, True, False]
    there.away = True
    assert [counts.acquire_sliding_window_entry("a", 2, 60) for _ in range(3)] == [True, True, False]
    assert len(asked) == 4
    there.away, now[0] = False, 5.0
    assert not counts.acquire_sliding_window_entry("a", 2, 60)
    assert counts.get_sliding_window("a", 60)[2] == 0  # of the shared ones, which this storage does not tell
    assert len(asked) == 5
