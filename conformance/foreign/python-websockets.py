"""Python's `websockets`: a client of the protocol that was written from docs/PROTOCOL.md alone.

It authenticates, receives, loses its connection and returns with its position. Two tenants are there all the time.
"""

import asyncio
import json
import re
from datetime import datetime

import boto3
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stack import PATIENCE, SOCKET, STACK, STAGE, check, entry, eventually, fresh, token

aws = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="eu-west-1")
events = aws.client("events", endpoint_url=STACK)
connections = aws.client("apigatewaymanagementapi", endpoint_url=f"{STACK}/{STAGE}")


class Client:
    """A user's client: one connection at a time, and a position that outlives it."""

    def __init__(self, tenant, user, accept=()):
        self.token = token(tenant, user)
        self.accept = list(accept)
        self.position = None  # sequence of the last event handed on with no hole before it
        self.events = []  # handed on
        self.held = {}  # by sequence: those that came too early
        self.frames = []  # all that ever came

    async def connect(self):
        """Opens a connection, authenticates with the position if there is one, and returns the answer's data."""
        self.socket = await connect(SOCKET, open_timeout=PATIENCE, ping_interval=None)
        auth = {"action": "auth", "token": self.token, "accept": self.accept, "ref": "auth"}
        if self.position is not None:
            auth["lastSequence"] = self.position
        await self.send(auth)
        data = await self.answer("auth.success")
        if self.position is None:
            self.position = data["sequence"]
        self.hand_on()
        return data

    async def send(self, message):
        await self.socket.send(json.dumps(message))

    async def frame(self):
        """The next frame, whatever it is. Events in it are taken."""
        async with asyncio.timeout(PATIENCE):
            frame = json.loads(await self.socket.recv())
        self.frames.append(frame)
        for event in frame["data"]["events"] if frame["type"] == "batch" else [frame]:
            if "sequence" in event:
                self.held[event["sequence"]] = event
        self.hand_on()
        return frame

    def hand_on(self):
        """Hands on the events that follow the position. Before the first position is known, all are held."""
        while self.position is not None and self.position + 1 in self.held:
            self.position += 1
            self.events.append(self.held.pop(self.position))

    async def answer(self, *types):
        """The data of the next answer, which may come before, among or after events."""
        while (frame := await self.frame())["type"] not in types:
            pass
        return frame["data"]

    async def until(self, count):
        """Receives until so many events have been handed on, and returns their ids."""
        while len(self.events) < count:
            await self.frame()
        return [event["eventId"] for event in self.events]

    async def closed(self):
        """Waits for the connection's end and returns its close code."""
        try:
            while True:
                await self.frame()
        except ConnectionClosed:
            return self.socket.close_code

    def lose(self):
        """Loses the connection without a closing handshake, as a phone in a tunnel does."""
        self.socket.transport.abort()


def put(*entries):
    """Puts any number of events, ten in a call."""
    for first in range(0, len(entries), 10):
        if events.put_events(Entries=entries[first : first + 10])["FailedEntryCount"]:
            raise RuntimeError("an entry was not taken")


def gone(connection_id):
    try:
        connections.post_to_connection(ConnectionId=connection_id, Data=b"{}")
    except connections.exceptions.GoneException:
        return True
    return False


async def receives(ours, theirs):
    ana, bob = Client(ours, "ana", accept=["batch"]), Client(theirs, "bob")
    data = await ana.connect()
    await bob.connect()
    check("the tenant and the user are the token's", (data["tenantId"], data["userId"]), (ours, "ana"))
    check("the connection id has API Gateway's form", bool(re.fullmatch(r"[A-Za-z0-9_-]{15}=", data["connectionId"])))
    check("protocol and ref are answered", (data["protocol"], data["accepted"], data["ref"]), (1, ["batch"], "auth"))
    check("the token's end is told", datetime.fromisoformat(data["expiresAt"]).tzinfo is not None)
    check("no extension and no subprotocol is negotiated", (ana.socket.protocol.extensions, ana.socket.subprotocol), ([], None))

    put(entry(ours, "a-1"), entry(theirs, "b-1"), entry(ours, "a-2"), entry(theirs, "b-2"), entry(ours, "a-3"))
    check("a tenant's client receives its events", sorted(await ana.until(3)), ["a-1", "a-2", "a-3"])
    check("another tenant's client its own", sorted(await bob.until(2)), ["b-1", "b-2"])
    check("numbers go on from the head", [e["sequence"] for e in ana.events], [data["sequence"] + n for n in (1, 2, 3)])
    event = ana.events[0]
    check("an envelope has these fields", sorted(event), ["correlationId", "data", "eventId", "sequence", "tenantId", "timestamp", "type"])
    check("the producer's fields are in data", (event["data"]["goalId"], event["data"]["resumedBy"]), ("goal-4f1c", "user-ana"))
    check("a timestamp has three decimals", bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])))
    return ana, bob, data["connectionId"]


async def returns(ana, bob, lost_id, ours, theirs):
    """120 events are missed: more than one replay holds. A second client of the tenant says when all have been numbered."""
    second = Client(ours, "amy")
    await second.connect()
    ana.lose()
    await asyncio.to_thread(eventually, "a lost connection is gone", lambda: gone(lost_id))
    put(*(entry(ours, f"m-{n}") for n in range(120)), entry(theirs, "b-3"))
    missed = await second.until(120)
    check("the client that stayed has them all", sorted(missed), sorted(f"m-{n}" for n in range(120)))
    check("in single frames, as it accepts no batches", {f["type"] for f in second.frames}, {"auth.success", "goal.resumed"})
    check("the other tenant goes on meanwhile", (await bob.until(3))[2], "b-3")

    position = ana.position
    answer = await ana.connect()
    check("who returns with a position recovers", (answer["after"], answer["recovered"]), (position, True))
    check("a page at a time", (answer["sequence"], answer["more"]), (position + 120, True))
    while answer.get("more"):
        while ana.position == answer["after"]:
            await ana.frame()
        await ana.send({"action": "ping", "lastSequence": ana.position})
        answer = await ana.answer("pong")
    check("all that was missed arrives, in the same order", (await ana.until(123))[3:], missed)
    check("in batches, as it accepts them", "batch" in {f["type"] for f in ana.frames})

    put(entry(ours, "a-4"))
    check("and what happens from now on", ((await ana.until(124))[-1], (await second.until(121))[-1]), ("a-4", "a-4"))
    await second.socket.close()
    await asyncio.to_thread(eventually, "a connection that its client closed is gone", lambda: gone(second.frames[0]["data"]["connectionId"]))


async def speaks(ana, theirs):
    await ana.send({"action": "ping", "ref": "p"})
    check("a ping is answered with the head", await ana.answer("pong"), {"sequence": ana.position, "ref": "p"})
    async with asyncio.timeout(PATIENCE):
        await (await ana.socket.ping())
    check("a ping frame is answered by the gateway", True)
    await ana.send({"action": "auth", "token": token(theirs, "ana")})
    refused = await ana.answer("auth.error")
    check("another tenant's token is refused", refused["code"], "FORBIDDEN")
    await ana.send({"action": "unheard", "ref": "u"})
    refused = await ana.answer("connection_error")
    check("an unknown action is answered", (refused["code"], refused["ref"]), ("VALIDATION_ERROR", "u"))
    long = json.dumps({"action": "ping", "ref": "long", "padding": "x" * 48_000})
    await ana.socket.send([long[:24_000], long[24_000:]])
    check("a message of two frames is one", (await ana.answer("pong"))["ref"], "long")


async def managed(bob):
    me = bob.frames[0]["data"]["connectionId"]
    connections.post_to_connection(ConnectionId=me, Data=json.dumps({"type": "greeting", "data": {}}))
    while (frame := await bob.frame())["type"] != "greeting":
        pass
    check("what is posted to the connection arrives", frame, {"type": "greeting", "data": {}})
    check("GetConnection tells this program", connections.get_connection(ConnectionId=me)["Identity"]["UserAgent"], bob.socket.request.headers["User-Agent"])
    connections.delete_connection(ConnectionId=me)
    check("a deleted connection is closed with 1000", await bob.closed(), 1000)
    check("and is gone", gone(me))


async def closes(tenant):
    for what, message, code in (
        ("a binary frame", b"{}", 1003),
        ("a frame over 32 KB", json.dumps({"action": "ping", "padding": "x" * 32_768}), 1009),
    ):
        client = Client(tenant, "ana")
        await client.connect()
        await client.socket.send(message)
        check(f"{what} closes with {code}", await client.closed(), code)
    try:
        await connect(SOCKET + "/nowhere", open_timeout=PATIENCE)
        check("a stage that is none is refused", False)
    except InvalidStatus as refused:
        check("a stage that is none is refused", refused.response.status_code, 403)
    stranger = await connect(SOCKET, open_timeout=PATIENCE)
    await stranger.send(json.dumps({"action": "auth", "token": "none"}))
    answer = json.loads(await stranger.recv())
    check("a token that is none is refused", (answer["type"], answer["data"]["code"]), ("auth.error", "UNAUTHORIZED"))
    await stranger.close()


async def main():
    ours, theirs = fresh("ours"), fresh("theirs")
    ana, bob, lost_id = await receives(ours, theirs)
    await returns(ana, bob, lost_id, ours, theirs)
    await speaks(ana, theirs)
    await managed(bob)
    await closes(ours)
    check("nobody ever saw another tenant's event", [{e["tenantId"] for e in c.events} for c in (ana, bob)], [{ours}, {theirs}])
    await ana.socket.close()


asyncio.run(main())
