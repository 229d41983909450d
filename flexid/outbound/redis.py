"""A connection to Redis: made when it is needed, kept, and made again when it has ended.

txredisapi speaks the protocol. Its pools are not used: they wait without end for a server that is away, give up for
ever when a sign-in is refused, and know no TLS behind Sentinels.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from txredisapi import ConnectionError as Disconnected
from txredisapi import RedisProtocol, ResponseError

from flexid.base.redis_address import RedisAddress
from flexid.outbound.trust import Trust

PATIENCE = 3.0
"""Seconds for an answer, connecting included."""
PAUSE = 2.0
"""Seconds without a further try, after one that nobody answered."""


class RedisTrouble(Exception):  # noqa: N818  # read as a sentence
    """Redis has not done what it was asked for; the reason names no secret."""


class _Connection(RedisProtocol):  # type: ignore[misc]  # has no types
    """One connection; it signs in when it is told to."""

    end = "it has ended"

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        """Sign in later. What a network forgets unnoticed is found out by the operating system."""
        if hasattr(self.transport, "setTcpKeepAlive"):
            self.transport.setTcpKeepAlive(True)

    def connectionLost(self, why: Failure = connectionDone) -> None:  # noqa: N802  # as above
        self.end = why.getErrorMessage() or repr(why.value)
        super().connectionLost(why)

    async def ask(self, *command: str | bytes) -> Any:
        """Return the answer to a command.

        :raise RedisTrouble: the connection ended.
        :raise ResponseError: it was refused.
        """
        try:
            return await self.execute_command(*command)
        except Disconnected:
            raise RedisTrouble(self.end) from None


@define
class Redis:
    """Runs commands, many at once over one connection; answers are bytes, integers and lists of both."""

    reactor: Any
    address: RedisAddress
    tls: Trust = field(factory=Trust)
    sentinel_password: str = field(default="", repr=False)
    patience: float = PATIENCE
    _connection: _Connection | None = field(default=None, init=False)
    _attempt: Deferred[Any] | None = field(default=None, init=False)
    _began: float = field(default=0.0, init=False)
    _silent_until: float = field(default=0.0, init=False)
    _waiting: list[Deferred[_Connection]] = field(factory=list, init=False)

    async def run(self, *command: str | bytes, patience: float | None = None) -> Any:
        """Run a command, wait for its answer, and return it; wait `patience` seconds at most, or as usual.

        :raise RedisTrouble: nobody answers, the connection ended, or the command was refused.
        """
        patience = self.patience if patience is None else patience
        now = self.reactor.seconds()
        if now < self._silent_until or (self._attempt and now - self._began > patience):
            raise RedisTrouble("no answer to somebody else a moment ago")
        try:
            return await ensureDeferred(self._run(command)).addTimeout(patience, self.reactor)
        except TookTooLong:
            if self._connection:
                self._fall_silent()
            raise RedisTrouble(f"no answer within {patience} seconds") from None
        except ResponseError as error:
            # Such as READONLY of what was the master until now.
            self.close()
            raise RedisTrouble(f"{command[0]!r} was refused, {error}") from None

    def close(self) -> None:
        """End the connection; the next command makes another one."""
        connection, self._connection = self._connection, None
        if connection:
            connection.transport.abortConnection()
        if self._attempt:
            self._attempt.cancel()

    async def _run(self, command: tuple[str | bytes, ...]) -> Any:
        if self._connection and self._connection.connected:
            try:
                return await self._connection.ask(*command)
            except RedisTrouble:
                # It may have ended long ago without our knowledge, and what we ask for can be asked for twice.
                pass
        return await (await self._connected()).ask(*command)

    def _connected(self) -> Deferred[_Connection]:
        waiting: Deferred[_Connection] = Deferred()
        self._waiting.append(waiting)
        if not self._attempt:
            self._began = self.reactor.seconds()
            # Whoever waits may go away meanwhile; the attempt goes on for the others.
            self._attempt = ensureDeferred(self._open()).addTimeout(self.patience, self.reactor)
            self._attempt.addCallbacks(self._opened, self._not_opened)
        return waiting

    def _opened(self, connection: _Connection) -> None:
        self._connection, self._attempt = connection, None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(connection)

    def _not_opened(self, failure: Failure) -> None:
        self._attempt = None
        reason = failure.getErrorMessage() or repr(failure.value)
        if failure.check(TookTooLong):
            self._fall_silent()
            reason = f"no answer within {self.patience} seconds"
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.errback(RedisTrouble(reason))

    def _fall_silent(self) -> None:
        self._silent_until = self.reactor.seconds() + PAUSE
        self.close()

    async def _open(self) -> _Connection:
        address = self.address
        if address.socket:
            endpoint: Any = UNIXClientEndpoint(self.reactor, address.socket, timeout=self.patience)
        else:
            endpoint = self._endpoint(*(await self._master() if address.master else address.servers[0]))
        connection = await self._reach(endpoint, address.username, address.password)
        try:
            if address.database:
                await connection.ask("SELECT", str(address.database))
            if address.master:
                await _refuse_replica(connection)
        except BaseException:
            connection.transport.abortConnection()
            raise
        return connection

    async def _master(self) -> tuple[str, int]:
        """Ask one Sentinel after the other where the master is."""
        reasons = []
        for host, port in self.address.servers:
            asked = ensureDeferred(self._ask_sentinel(host, port))
            try:
                # A Sentinel that does not answer leaves time for the others.
                return await asked.addTimeout(self.patience / 4, self.reactor)
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one, another may know
                reasons.append(f"{host}:{port}: {error}")
        raise RedisTrouble(f"no Sentinel knows the master: {'; '.join(reasons)}")

    async def _ask_sentinel(self, host: str, port: int) -> tuple[str, int]:
        connection = await self._reach(self._endpoint(host, port), None, self.sentinel_password)
        try:
            answer = await connection.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.address.master)
        finally:
            connection.transport.abortConnection()
        if not answer:
            raise RedisTrouble(f"it knows no {self.address.master}")
        return answer[0].decode(), int(answer[1])

    async def _reach(self, endpoint: Any, username: str | None, password: str | None) -> _Connection:
        factory = Factory.forProtocol(lambda: _Connection(charset=None, convertNumbers=False))
        factory.noisy = False
        connection: _Connection = await endpoint.connect(factory)
        try:
            if password:
                await connection.ask("AUTH", *filter(None, (username, password)))
            else:
                await _greet(connection)
        except BaseException:
            connection.transport.abortConnection()
            raise
        return connection

    def _endpoint(self, host: str, port: int) -> Any:
        endpoint: Any = HostnameEndpoint(self.reactor, host.encode(), port, timeout=self.patience)
        return wrapClientTLS(self.tls.options(host), endpoint) if self.address.tls else endpoint


async def _refuse_replica(connection: _Connection) -> None:
    role, *_ = await connection.ask("ROLE")
    if role != b"master":
        raise RedisTrouble(f"the Sentinels name a server that says it is a {role.decode()}")


async def _greet(connection: _Connection) -> None:
    """Wait for any answer: a frozen server accepts connections, and gives none."""
    with suppress(ResponseError):
        await connection.ask("PING")
