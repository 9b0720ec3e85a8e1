#!/usr/bin/env bash
# The AWS CLI: puts events, reads tables and queues, and manages the connection that receives. Its socket is wscat.
#
# Always give --endpoint-url: the CLI ignores AWS_ENDPOINT_URL for SQS and would call AWS.
set -euo pipefail

stack=${STACK_URL:-http://localhost:5055}
patience=60 # seconds that the script waits for what must come; nothing asserts how fast it came
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_PAGER=

aws() { command aws --region eu-west-1 --output text --endpoint-url "$stack" "$@"; }

# On AWS the endpoint of these is the output ManagementEndpoint, which ends with the stage as well.
connection() { command aws --region eu-west-1 --output text --endpoint-url "$stack/$stage" apigatewaymanagementapi "$@"; }

check() { # what, got, want
  [ "$2" = "$3" ] || { printf 'FAILED %s: got %q, want %q\n' "$@" >&2 && exit 1; }
  echo "ok $1"
}

fails() { # what, the error's name, command…
  local what=$1 error=$2 said
  shift 2
  if said=$("$@" 2>&1); then said="success: $said"; fi
  [[ $said == *"An error occurred ($error) when calling "* ]] || { printf 'FAILED %s: got %q, want %s\n' "$what" "$said" "$error" >&2 && exit 1; }
  echo "ok $what is $error"
}

# json prints fields of a JSON object, on one line. A field within a field: data.sequence.
json() {
  python3 -c '
import functools, json, sys
value = json.load(sys.stdin)
print(*(functools.reduce(lambda part, key: part[key], path.split("."), value) for path in sys.argv[1:]))' "$@"
}

page() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "$stack$1"; }

# arrives waits for the first message that holds a text, and prints it.
arrives() {
  local until=$((SECONDS + patience))
  until grep -m1 -F -- "$1" "$work/messages"; do
    if ((SECONDS > until)); then
      printf 'FAILED no message with %q came, only:\n%s\n' "$1" "$(<"$work/messages")" >&2
      exit 1
    fi
    sleep 0.05
  done
}

entry() { # detail: one entry of PutEvents, in the CLI's shorthand
  echo "EventBusName=$bus,Source=purposepath.goals,DetailType=goal.resumed,Detail='$1'"
}

read -r socket bus stage < <(page /_local/info | json webSocketUrl eventBus stage)
tenant=aws-cli-$$-$(date +%s)
token=$(page "/_local/token?tenant=$tenant&user=ana" | json token)

# A user's client, so that there is somebody to receive. wscat ends where its input does: it gets one that never does.
work=$(mktemp -d)
mkfifo "$work/input"
exec {input}<>"$work/input"
wscat --connect "$socket" --wait -1 --execute "{\"action\":\"auth\",\"token\":\"$token\"}" <&"$input" >"$work/messages" &
client=$!
trap 'kill $client 2>/dev/null || true; rm -r "$work"' EXIT

read -r me head < <(arrives '"type":"auth.success"' | json data.connectionId data.sequence)
check "a client authenticates" "${#me}" 16

# Events.
detail="{\"tenantId\":\"$tenant\",\"eventId\":\"e-1\",\"goalId\":\"goal-4f1c\",\"resumedAt\":\"2026-11-25T09:00:00.000Z\",\"resumedBy\":\"user-ana\"}"
put=$(aws events put-events --entries "$(entry "$detail")" "$(entry "[]")" \
  --query '[FailedEntryCount, length(Entries[0].EventId), Entries[1].ErrorCode]')
check "an event is put, its bad neighbour is not" "$put" $'1\t36\tMalformedDetail'
event=$(arrives '"eventId":"e-1"')
check "it arrives, with the tenant's next number" "$(json type tenantId sequence data.goalId <<<"$event")" "goal.resumed $tenant $((head + 1)) goal-4f1c"

# Tables.
check "the tables are those of the template" "$(aws dynamodb list-tables --query TableNames)" $'Connections\tEvents\tMembers\tTenants'
check "with their keys" "$(aws dynamodb describe-table --table-name Events --query 'Table.KeySchema[].AttributeName')" $'tenantId\tentry'
check "the tenant's head is the event's number" \
  "$(aws dynamodb get-item --table-name Tenants --key "{\"tenantId\":{\"S\":\"$tenant\"}}" --query Item.head.N)" "$((head + 1))"
check "the tenant's log holds what arrived" \
  "$(aws dynamodb query --table-name Events --key-condition-expression 'tenantId = :t AND begins_with(entry, :s)' \
    --expression-attribute-values "{\":t\":{\"S\":\"$tenant\"},\":s\":{\"S\":\"seq#\"}}" --query 'Items[].envelope.S')" "$event"
check "the connection is the tenant's" \
  "$(aws dynamodb get-item --table-name Connections --key "{\"connectionId\":{\"S\":\"$me\"}}" --query Item.tenantId.S)" "$tenant"
fails "a table that is none" ResourceNotFoundException aws dynamodb describe-table --table-name None

# Queues.
check "the queues are those of the template" "$(aws sqs list-queues --query 'QueueUrls[] | sort(@)' | sed 's#[^\t]*/##g')" $'DeadLetterQueue\tTenantDeadLetterQueue\tTenantQueue'
url=$(aws sqs get-queue-url --queue-name TenantQueue)
check "with their attributes" "$(aws sqs get-queue-attributes --queue-url "$url" --attribute-names All \
  --query 'Attributes.[FifoQueue, VisibilityTimeout, DeduplicationScope, QueueArn]')" $'true\t120\tmessageGroup\tarn:aws:sqs:eu-west-1:123456789012:TenantQueue'
fails "a queue that is none" AWS.SimpleQueueService.NonExistentQueue aws sqs get-queue-url --queue-name none

refused=$(aws events put-events --entries "$(entry "{}")" --query 'Entries[0].EventId')
letters=$(aws sqs get-queue-url --queue-name DeadLetterQueue)
letter=None
until=$((SECONDS + patience))
while [ "$letter" = None ] && ((SECONDS < until)); do
  letter=$(aws sqs receive-message --queue-url "$letters" --message-attribute-names All --wait-time-seconds 5 --max-number-of-messages 10 \
    --query "(Messages || \`[]\`)[?contains(Body, '$refused')] | [0].[ReceiptHandle, MessageAttributes.reason.StringValue, MessageAttributes.field.StringValue]")
done
read -r handle reason field <<<"$letter"
check "an event without tenant is refused, and found as a dead letter" "$reason $field" "tenant_missing tenantId"
check "which can be deleted" "$(aws sqs delete-message --queue-url "$letters" --receipt-handle "$handle")" ""

# Connections. An id can begin with "-": hence the "=". --data takes a file's bytes as fileb://, in version 2 of the CLI too.
printf '{"from":"the AWS CLI"}' >"$work/data"
connection post-to-connection --connection-id="$me" --data "fileb://$work/data"
check "what is posted arrives as it is" "$(arrives '"from"')" '{"from":"the AWS CLI"}'
check "GetConnection knows the client's address" "$(connection get-connection --connection-id="$me" --query Identity.SourceIp)" 127.0.0.1
head -c $((128 * 1024 + 1)) /dev/zero >"$work/data"
fails "more than 128 KB" PayloadTooLargeException connection post-to-connection --connection-id="$me" --data "fileb://$work/data"
fails "an id that is none" BadRequestException connection get-connection --connection-id me
stage=nowhere fails "a stage that is none" ForbiddenException connection get-connection --connection-id="$me"
check "the connection is deleted" "$(connection delete-connection --connection-id="$me")" ""
wait $client && status=0 || status=$?
check "and its client ends" $status 0
fails "then PostToConnection" GoneException connection post-to-connection --connection-id="$me" --data hello
fails "and GetConnection" GoneException connection get-connection --connection-id="$me"
fails "and DeleteConnection" GoneException connection delete-connection --connection-id="$me"
