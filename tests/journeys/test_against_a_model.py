"""The life of licences against a plain model: whatever is done, in whatever order, the service says what the model says.

`LICENCE_MODEL_STEPS` makes it longer: `make attack` does 5,000 on each database.
"""

import os
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from tests.records.tables import findings
from tests.world import World

STEPS = int(os.environ.get("LICENCE_MODEL_STEPS", "150"))
EACH = 50  # steps in one life of a city
CAUSES = {"suspend": "endorsement_lapsed", "revoke": "fraud"}
REASONS = {"valid": "accepted", "suspended": "suspended", "revoked": "revoked"}


@dataclass
class Licence:
    """What the model knows of one licence."""

    licence_id: str
    state: str = "valid"
    superseded: bool = False


@dataclass
class Shown:
    """What the model knows of one show code."""

    url: str
    licence: Licence
    until: float
    used: bool = False


class City(RuleBasedStateMachine):
    """One agency, one holder, one counter, and a clock."""

    licences: Bundle[Licence] = Bundle("licences")
    codes: Bundle[Shown] = Bundle("codes")
    world: World
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.world.now
        self.world._holders.clear()  # each life begins with a new sign-in

    def _counted(self) -> None:
        type(self).steps += 1

    @rule(target=licences)
    def issue(self) -> Licence:
        """The agency issues."""
        self._counted()
        return Licence(self.world.issue())

    @rule(licence=licences, verb=strategies.sampled_from(["suspend", "reinstate", "revoke"]))
    def change(self, licence: Licence, verb: str) -> None:
        """The agency changes a state, or is told why not."""
        self._counted()
        got = self.world.change(verb, licence.licence_id, CAUSES.get(verb))
        before, after = {"suspend": ({"valid"}, "suspended"), "reinstate": ({"suspended"}, "valid"),
                         "revoke": ({"valid", "suspended"}, "revoked")}[verb]  # fmt: skip
        if licence.state in before:
            assert got.status == 200, got.body
            licence.state = after
        else:
            assert (got.status, got["code"]) == (
                409,
                "licence_revoked" if licence.state == "revoked" else "wrong_state",
            )

    @rule(target=licences, licence=licences)
    def renew(self, licence: Licence) -> Any:
        """The agency renews: a valid one gets a next version and is out of force."""
        self._counted()
        path = f"/issuers/police/licences/{licence.licence_id}/renew"
        got = self.world.agency("police").post(path, self.world.order())
        if licence.state != "valid":
            assert (got.status, got["code"]) == (
                409,
                "licence_revoked" if licence.state == "revoked" else "wrong_state",
            )
            return multiple()
        assert got.status == 201, got.body
        licence.state, licence.superseded = "revoked", True
        return Licence(got["licence_id"])

    @rule(purpose=strategies.sampled_from(["licence", "status_list"]))
    def rotate(self, purpose: str) -> None:
        """The operator rotates a key; nothing else changes."""
        self._counted()
        self.world.agency("police")
        got = self.world.operator.post("/admin/keys/rotate", {"owner": "police", "purpose": purpose})
        assert got.status == 200, got.body

    @rule(target=codes, licence=licences)
    def show(self, licence: Licence) -> Any:
        """The holder makes a show code, of any licence that the wallet still lists or was named."""
        self._counted()
        body = {"licences": [{"licence_id": licence.licence_id, "claims": ["residence_district"]}], "qr": "none"}
        got = self.world.holder().post("/wallet/shows", body)
        assert got.status == 201, got.body
        return Shown(got["url"], licence, self.world.now.timestamp() + 60)

    @rule(code=codes)
    def verify(self, code: Shown) -> None:
        """The counter scans: once, within the minute, as the licence's state is now."""
        self._counted()
        made = self.world.scan(code.url)
        if code.used:
            assert made["reason"] == "already_used"
        elif self.world.now.timestamp() >= code.until:
            assert made["reason"] == "code_expired"
        else:
            code.used = True
            assert made["reason"] == REASONS[code.licence.state]
            assert made["verdict"] == ("accepted" if code.licence.state == "valid" else "refused")

    @rule(seconds=strategies.sampled_from([1, 30, 59, 61]))
    def wait(self, seconds: int) -> None:
        """Time passes; nobody's token grows too old."""
        self._counted()
        if (self.world.now - self.begun).total_seconds() < 3000:
            self.world.wait(seconds)

    @rule(licence=licences)
    def read(self, licence: Licence) -> None:
        """The ledger says what the model says."""
        self._counted()
        got = self.world.agency("police").get(f"/issuers/police/licences/{licence.licence_id}")
        assert got["state"] == licence.state
        assert (got["cause"] == "superseded") == licence.superseded

    @invariant()
    def nothing_is_broken(self) -> None:
        """The audit's last word on every step is there; the whole of it is examined when the life ends."""

    def teardown(self) -> None:
        """The doctor is content with every life's end."""
        assert findings(self.world) == []


def test_against_a_plain_model(world: World, record_property: Any) -> None:
    """No step of any life differs from the model."""
    machine = type("OneCity", (City,), {"world": world, "steps": 0})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, STEPS // EACH), stateful_step_count=EACH, deadline=None, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    record_property("model: steps", machine.steps)
    record_property("model: differences", 0)


def test_the_model_would_notice(world: World) -> None:
    """A service that forgets a revocation differs from the model at once."""
    machine = type("Forgetful", (City,), {"world": world})()
    licence = machine.issue()
    machine.change(licence, "revoke")
    licence.state = "valid"
    with pytest.raises(AssertionError):
        machine.read(licence)
