"""What the Python scripts here share: the stack under test, its tokens, sample events, and checks.

A stack of `make run` is assumed unless STACK_URL names another. Each script makes tenants of its own, so it can be repeated on
a stack that is in use.
"""

import json
import os
import sys
import time
import urllib.parse
import urllib.request
import uuid

STACK = os.environ.get("STACK_URL", "http://localhost:5055")
PATIENCE = 60  # seconds that a script waits for what must come; nothing asserts how fast it came


def page(path, **query):
    """One of the stack's own pages, which AWS does not have."""
    with urllib.request.urlopen(f"{STACK}{path}?{urllib.parse.urlencode(query)}", timeout=PATIENCE) as answer:
        return json.load(answer)


INFO = page("/_local/info")
SOCKET = INFO["webSocketUrl"]
BUS = INFO["eventBus"]
STAGE = INFO["stage"]


def token(tenant, user):
    """A token as the users' identity provider issues it. It lives for an hour."""
    return page("/_local/token", tenant=tenant, user=user)["token"]


def fresh(name):
    """A name that no earlier run used."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def entry(tenant, event_id):
    """One entry of PutEvents, as a domain service puts it: docs/EVENTS.md lists the types and their fields."""
    detail = {
        "tenantId": tenant,
        "eventId": event_id,
        "correlationId": f"call-of-{event_id}",
        "goalId": "goal-4f1c",
        "resumedAt": "2026-11-25T09:00:00.000Z",
        "resumedBy": "user-ana",
    }
    return {"EventBusName": BUS, "Source": "purposepath.goals", "DetailType": "goal.resumed", "Detail": json.dumps(detail)}


def check(what, got, want=True):
    """Ends the script, and so fails the run, where the two differ."""
    if got != want:
        sys.exit(f"FAILED {what}: got {got!r}, want {want!r}")
    print(f"ok {what}", flush=True)


def eventually(what, condition):
    """Checks a condition that needs a moment to become true."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"FAILED {what}: not within {PATIENCE} s")
        time.sleep(0.05)
    print(f"ok {what}", flush=True)
