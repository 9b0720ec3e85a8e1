"""The AWS SDK for Python: puts events as a domain service does, and manages the connection that receives them."""

import datetime
import decimal
import json
import re

import boto3
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from stack import PATIENCE, SOCKET, STACK, STAGE, check, entry, fresh, token

aws = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="eu-west-1")
events = aws.client("events", endpoint_url=STACK)
sqs = aws.client("sqs", endpoint_url=STACK)
tenants = aws.resource("dynamodb", endpoint_url=STACK).Table("Tenants")
connections = aws.client("apigatewaymanagementapi", endpoint_url=f"{STACK}/{STAGE}")  # on AWS: the output ManagementEndpoint


def error(call, **arguments):
    """What a call raised: its class as the SDK maps it, the status, the code."""
    try:
        call(**arguments)
    except ClientError as e:
        return type(e), e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"]
    return None


def receive(socket):
    return json.loads(socket.recv(timeout=PATIENCE))


def authenticate(socket, tenant):
    """Makes the socket one of the tenant's, and returns its connection id and the tenant's head."""
    socket.send(json.dumps({"action": "auth", "token": token(tenant, "ana")}))
    answer = receive(socket)
    check("a client authenticates", answer["type"], "auth.success")
    return answer["data"]["connectionId"], answer["data"]["sequence"]


def put_events(socket, tenant, head):
    put = events.put_events(Entries=[entry(tenant, f"e-{n}") for n in range(10)])
    check("ten events are put in one call", (put["ResponseMetadata"]["HTTPStatusCode"], put["FailedEntryCount"]), (200, 0))
    uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    check("each gets an id of EventBridge", [bool(uuid.fullmatch(e["EventId"])) for e in put["Entries"]], [True] * 10)
    received = [receive(socket) for _ in range(10)]
    check("all ten arrive", sorted(e["eventId"] for e in received), [f"e-{n}" for n in range(10)])
    check("in the order of their numbers, without a hole", [e["sequence"] for e in received], list(range(head + 1, head + 11)))
    check("as envelopes of the tenant", {(e["type"], e["tenantId"]) for e in received}, {("goal.resumed", tenant)})
    check("with the id of the call that caused them", {e["correlationId"] for e in received}, {f"call-of-e-{n}" for n in range(10)})
    check("the tenant's head is their last number", tenants.get_item(Key={"tenantId": tenant})["Item"]["head"], decimal.Decimal(head + 10))

    put = events.put_events(Entries=[{**entry(tenant, "bad"), "Detail": "[1]"}, entry(tenant, "good")])
    check("a bad entry fails", (put["FailedEntryCount"], put["Entries"][0]["ErrorCode"]), (1, "MalformedDetail"))
    check("alone: its neighbour arrives", receive(socket)["eventId"], "good")
    check("eleven entries are refused", error(events.put_events, Entries=[entry(tenant, "e")] * 11), (ClientError, 400, "ValidationException"))
    check(
        "a queue that is none is QueueDoesNotExist",
        error(sqs.get_queue_url, QueueName="none"),
        (sqs.exceptions.QueueDoesNotExist, 400, "AWS.SimpleQueueService.NonExistentQueue"),
    )


def manage(socket, me):
    message = {"from": "boto3", "text": "naïve ☂"}
    connections.post_to_connection(ConnectionId=me, Data=json.dumps(message))
    check("what is posted arrives", receive(socket), message)

    known = connections.get_connection(ConnectionId=me)
    check("GetConnection tells the client's address", known["Identity"]["SourceIp"], "127.0.0.1")
    check("and its program", known["Identity"]["UserAgent"], socket.request.headers["User-Agent"])
    check("and times", [type(known[k]) for k in ("ConnectedAt", "LastActiveAt")], [datetime.datetime] * 2)
    socket.send(json.dumps({"action": "ping"}))
    check("a ping is answered", receive(socket)["type"], "pong")
    check("and counts as activity", connections.get_connection(ConnectionId=me)["LastActiveAt"] > known["LastActiveAt"])

    limit = 128 * 1024  # bytes, of API Gateway
    connections.post_to_connection(ConnectionId=me, Data=b"x" * limit)
    check("128 KB can be posted", len(socket.recv(timeout=PATIENCE)), limit)
    check(
        "a byte more is PayloadTooLargeException",
        error(connections.post_to_connection, ConnectionId=me, Data=b"x" * (limit + 1)),
        (connections.exceptions.PayloadTooLargeException, 413, "PayloadTooLargeException"),
    )
    check("an id that is none is refused", error(connections.get_connection, ConnectionId="me"), (ClientError, 400, "BadRequestException"))
    elsewhere = aws.client("apigatewaymanagementapi", endpoint_url=f"{STACK}/nowhere")
    check(
        "a stage that is none is ForbiddenException",
        error(elsewhere.get_connection, ConnectionId=me),
        (elsewhere.exceptions.ForbiddenException, 403, "ForbiddenException"),
    )

    deleted = connections.delete_connection(ConnectionId=me)
    check("the connection is deleted", deleted["ResponseMetadata"]["HTTPStatusCode"], 204)
    try:
        check("its client receives nothing more", socket.recv(timeout=PATIENCE), None)
    except ConnectionClosed:
        check("its client sees it closed", socket.close_code, 1000)
    gone = (connections.exceptions.GoneException, 410, "GoneException")
    check("then PostToConnection raises GoneException", error(connections.post_to_connection, ConnectionId=me, Data=b"{}"), gone)
    check("and GetConnection", error(connections.get_connection, ConnectionId=me), gone)
    check("and DeleteConnection", error(connections.delete_connection, ConnectionId=me), gone)


with connect(SOCKET, open_timeout=PATIENCE) as socket:
    tenant = fresh("boto3")
    me, head = authenticate(socket, tenant)
    put_events(socket, tenant, head)
    manage(socket, me)
