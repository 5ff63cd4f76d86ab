"""The heart's network, turn by turn: the guard's words on real interfaces, and what is seen there for the guard."""

from __future__ import annotations

from typing import Any

from tandem.codec import heart as say
from tandem.port.net import Network
from tandem.port.net_probe import AddressProbe
from tandem.port.readers import Readers
from tandem.standby.duplicate_watch import Watch
from tandem.standby.guard import Guard
from tandem.standby.vacant import Vacancy

NEVER = 1 << 62
_LOAD_AGAIN_NS = 5_000_000_000


class HeartNetwork:
    """One heart's: a plan of `port.net_plan`, or {}: then nothing here does anything, and `is_real` is False."""

    def __init__(self, plan: dict[str, Any], guard: Guard) -> None:
        self.is_real = bool(plan)
        self.due = NEVER
        self._guard = guard
        self._network = Network(plan) if plan else None
        self._told = (-1, -1)
        self._load_at = NEVER
        self._vacancy = Vacancy(guard.rules.lease_ns)
        self._probe = AddressProbe()
        self._watch = Watch()
        self._changed = False
        self._trouble = ""

    def open(self, readers: Readers, now: int) -> None:
        """Before the first turn."""
        if self._network is None:
            return
        self._network.open()
        for fd in self._network.filenos():
            readers.add(fd, self._hear)
        self._fence(self._network.trouble, now)
        self._tell(now)

    def lease(self, word: str, now: int) -> None:
        """acquire, renew, drop."""
        lease = self._network.lease if self._network is not None else None
        if lease is not None:
            {"acquire": lease.acquire, "renew": lease.renew, "drop": lease.drop}[word](now)

    def addresses(self, on: bool, now: int) -> None:
        """Add and announce, or remove."""
        if self._network is not None:
            self._network.hold(on, now)
            self._watch.hold(on, now)

    def turn(self, now: int) -> list[say.Message]:
        """Once in each turn of the heart; returns what its supervisor is to be told."""
        network = self._network
        if network is None:
            return []
        network.tick(now)
        if self._changed or now >= self._load_at:
            self._changed = False
            self._fence(network.load_lease(), now)  # what it has acquired is seen in the next turn
        else:
            self._tell(now)
        told = self._ask(network, now) + self._others(network, now)
        self.due = min(network.due, self._load_at, self._vacancy.due, self._watch.due)
        faults, network.faults = network.faults, []
        return told + [say.Said(fault) for fault in faults]

    def _ask(self, network: Network, now: int) -> list[say.Message]:
        """Without a lease: does anybody answer for the addresses, while the peer is not heard?"""
        guard, vacancy = self._guard, self._vacancy
        wanted = not guard.leased and not guard.service and (guard.suspects > 0 or not guard.ear.hears(now))
        vacancy.want(wanted, now)
        if not vacancy.take(now):
            return []
        lans = network.asked()
        if self._probe.claims(lans):
            vacancy.answered(now)
        told: list[say.Message] = [say.Unanswered(now, vacancy.unanswered_ns(now))]
        vacancy.asked(self._probe.ask(lans), now)
        return told

    def _others(self, network: Network, now: int) -> list[say.Message]:
        """While the addresses are held: who claims one, and is not the peer?"""
        watch = self._watch
        if not watch.take(now):
            return []
        lans = network.asked()
        foreign = self._probe.claims(lans)
        asks = watch.asks(now)
        if asks or foreign:  # the peer's are learnt while it is there, for the day when it is not
            macs = network.macs()
            foreign = [claim for claim in foreign if claim.mac not in macs]
        if asks:
            self._probe.ask(lans, openly=True)
        return [*watch.news(foreign, now)]

    def close(self) -> None:
        """Everything back."""
        self._probe.close()
        if self._network is not None:
            self._network.close()

    def _hear(self, now: int) -> None:
        if self._network is not None:
            self._changed |= self._network.read(now)

    def _fence(self, trouble: str, now: int) -> None:
        self._load_at = now + _LOAD_AGAIN_NS if trouble and self._network and self._network.lease else NEVER
        about = self._network.lease.about if self._network and self._network.lease else ""
        if not trouble or trouble != self._trouble:  # a lease that was loaded anew must be acquired anew
            self._guard.fence(not trouble, trouble or about, now)
        self._trouble = trouble

    def _tell(self, now: int) -> None:
        network = self._network
        assert network is not None
        alive = network.lease is not None and network.lease.alive(now)
        if (int(alive), network.carriers) != self._told:
            self._told = int(alive), network.carriers
            self._guard.network(*self._told, now)
