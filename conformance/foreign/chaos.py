"""A client of the protocol for `make chaos`, in Python: it loses its connection, returns, and hands on each event once, in order.

It prints one JSON object a line: {"type": "ready", "sequence": N} once it has a position, then each event that it hands on, and
{"type": "lost"} should it be told that not all can be had. It ends with its standard input.
"""

import asyncio
import json
import os
import random
import sys
import urllib.request

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

with urllib.request.urlopen(os.environ["STACK_URL"] + "/_local/info", timeout=60) as answer:
    SOCKET = json.load(answer)["webSocketUrl"]
TOKEN = os.environ["TOKEN"]

position = None  # number of the last event handed on
held = {}  # by number: those that came too early


def say(message):
    print(json.dumps(message), flush=True)


def hand_on():
    global position
    while position is not None and position + 1 in held:
        position += 1
        say(held.pop(position))


def take(frame):
    """Takes what is no answer; what is older than the position is dropped."""
    for event in frame["data"]["events"] if frame["type"] == "batch" else [frame]:
        if position is None or event["sequence"] > position:
            held[event["sequence"]] = event
    hand_on()


def answered(data):
    """Follows protocol.md: an answer moves the position only where it is the first, or says that not all can be had."""
    global position
    if position is None:
        position = data["sequence"]
        say({"type": "ready", "sequence": position})
    elif data.get("recovered") is False and data.get("after") == position:
        say({"type": "lost"})
        position = data["sequence"]
    for sequence in [s for s in held if s <= position]:
        del held[sequence]
    hand_on()


async def connection():
    """One connection, until it ends or is dropped."""
    async with connect(SOCKET, open_timeout=15, close_timeout=0.1, ping_interval=None) as socket:
        auth = {"action": "auth", "token": TOKEN, "accept": random.choice([[], ["batch"]])}
        if position is not None:
            auth["lastSequence"] = position
        await socket.send(json.dumps(auth))
        until = asyncio.get_running_loop().time() + random.uniform(5, 30)
        authenticated, silent = False, 0
        while asyncio.get_running_loop().time() < until:
            try:
                async with asyncio.timeout(1):
                    frame = json.loads(await socket.recv())
            except TimeoutError:
                silent += 1
                if not authenticated and silent > 12:
                    return
                if authenticated:
                    await socket.send(json.dumps({"action": "ping", "lastSequence": position}))
                continue
            silent = 0
            match frame.get("type"):
                case "auth.success" | "pong":
                    authenticated = True
                    answered(frame["data"])
                case "auth.error" | "connection_error" | None:  # None: the gateway's own, a function failed
                    if not authenticated:
                        return
                case _:
                    take(frame)
        socket.transport.abort()  # as a lost network does


async def client():
    while True:
        try:
            await connection()
        except (OSError, WebSocketException, TimeoutError):
            pass
        await asyncio.sleep(random.uniform(0.05, 0.5))


async def main():
    work = asyncio.create_task(client())
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait([work, end], return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        work.result()  # raises what was not foreseen


asyncio.run(main())
