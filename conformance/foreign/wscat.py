"""wscat: what a developer types to see what arrives.

Only in a terminal does wscat say that it connected and why it ended, so it gets one. Events and @connections come from boto3.
"""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import boto3

from stack import PATIENCE, SOCKET, STACK, STAGE, check, entry, eventually, fresh, token

aws = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="eu-west-1")
events = aws.client("events", endpoint_url=STACK)
connections = aws.client("apigatewaymanagementapi", endpoint_url=f"{STACK}/{STAGE}")


class Terminal:
    """A wscat in a terminal of its own. It ends with the block that opened it."""

    def __init__(self, *arguments):
        self.keyboard, screen = pty.openpty()
        self.process = subprocess.Popen(["wscat", "--no-color", *arguments], stdin=screen, stdout=screen, stderr=screen)
        os.close(screen)
        self.written = b""
        self.passed = 0  # lines of the screen that were waited for, or came before one that was

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)

    def type(self, line):
        os.write(self.keyboard, line.encode() + b"\r")

    def lines(self):
        """The complete lines of the screen: without what was erased again, such as the prompt before a message."""
        text = re.sub(r"[^\n]*\r\x1b\[2K", "", self.written.decode(errors="replace"))
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", text).split("\n")[:-1]

    def shows(self, pattern):
        """Waits for a line that matches from its beginning to its end."""
        until = time.monotonic() + PATIENCE
        while True:
            for number, line in enumerate(self.lines()[self.passed :], self.passed):
                if match := re.fullmatch(pattern, line):
                    self.passed = number + 1
                    return match
            readable, _, _ = select.select([self.keyboard], [], [], max(0, until - time.monotonic()))
            try:
                read = os.read(self.keyboard, 65536) if readable else b""
            except OSError:  # Linux's word for: nobody has this terminal open any more
                read = b""
            if not read:
                sys.exit("\n".join([f"FAILED wscat never showed {pattern} after:", *self.lines()]))
            self.written += read

    def receives(self, kind):
        """Waits for a message of a type. With --execute nothing stands before it."""
        return json.loads(self.shows(rf'(?:< )?(\{{"type":"{kind}",.*\}})')[1])

    def exits(self):
        return self.process.wait(timeout=PATIENCE)


def gone(call, **arguments):
    try:
        call(**arguments)
    except connections.exceptions.GoneException:
        return True
    return False


def converse(tenant, auth):
    with Terminal("--connect", SOCKET, "--slash", "--show-ping-pong") as wscat:
        wscat.shows(r"Connected \(press CTRL\+C to quit\)")
        check("wscat connects", True)
        wscat.type('{"action":"ping","ref":"early"}')
        answer = wscat.receives("connection_error")["data"]
        check("a ping before auth is refused", (answer["code"], answer["ref"]), ("UNAUTHORIZED", "early"))
        wscat.type("hello")
        check("what is no JSON is refused", wscat.receives("connection_error")["data"]["code"], "VALIDATION_ERROR")
        wscat.type(auth)
        answer = wscat.receives("auth.success")["data"]
        check("the connection stays, and authenticates", answer["tenantId"], tenant)
        me = answer["connectionId"]

        put = events.put_events(Entries=[entry(tenant, "e-1")])
        check("an event is put", put["FailedEntryCount"], 0)
        event = wscat.receives("goal.resumed")
        check("and shown", (event["eventId"], event["tenantId"], event["sequence"]), ("e-1", tenant, answer["sequence"] + 1))
        wscat.type('{"action":"ping"}')
        check("a ping is answered", wscat.receives("pong")["data"], {"sequence": event["sequence"]})
        wscat.type("/ping are you there")
        wscat.shows(r'< Received pong \(data: "are"\)')
        check("a ping frame is answered", True)

        connections.post_to_connection(ConnectionId=me, Data="any text")
        wscat.shows("< any text")
        check("what is posted is shown", True)
        check("GetConnection knows no program: wscat names none", connections.get_connection(ConnectionId=me)["Identity"], {"SourceIp": "127.0.0.1"})
        connections.delete_connection(ConnectionId=me)
        wscat.shows(r'Disconnected \(code: 1000, reason: ".*"\)')
        check("a deleted connection is closed with 1000, and wscat ends", wscat.exits(), 0)
        check("PostToConnection answers 410", gone(connections.post_to_connection, ConnectionId=me, Data="any text"))
        check("and GetConnection", gone(connections.get_connection, ConnectionId=me))
        check("and DeleteConnection", gone(connections.delete_connection, ConnectionId=me))


def paste(auth):
    """The line that `make run` prints."""
    with Terminal("-c", SOCKET, "-w", "3600", "-x", auth) as wscat:
        me = wscat.receives("auth.success")["data"]["connectionId"]
        check("the line of `make run` authenticates", gone(connections.get_connection, ConnectionId=me), False)
        wscat.type("\x03")
        check("Ctrl-C ends it", wscat.exits(), 0)
        eventually("and the connection", lambda: gone(connections.get_connection, ConnectionId=me))


def end():
    with Terminal("--connect", SOCKET, "--slash") as wscat:
        wscat.shows("Connected .*")
        wscat.type("/close 4000 bye")
        wscat.shows(r'Disconnected \(code: 4000, reason: "bye"\)')
        check("the client's own close code comes back", wscat.exits(), 0)
    for what, arguments, error in (
        ("a stage that is none is refused", ["--connect", SOCKET + "/nowhere"], "Unexpected server response: 403"),
        ("a subprotocol is not picked", ["--connect", SOCKET, "--subprotocol", "chat"], "Server sent no subprotocol"),
    ):
        with Terminal(*arguments) as wscat:
            wscat.shows(f"error: {error}")
            check(what, wscat.exits(), 255)


tenant = fresh("wscat")
auth = json.dumps({"action": "auth", "token": token(tenant, "ana")})
converse(tenant, auth)
paste(auth)
end()
