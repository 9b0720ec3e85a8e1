// The AWS SDK for JavaScript, version 3: puts events as a domain service does, finds a refused one, and manages the connection
// that receives them. Node 20 has no WebSocket of its own, hence `ws`.

import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  ForbiddenException,
  GetConnectionCommand,
  GoneException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi'
import { DynamoDBClient, GetItemCommand, QueryCommand, ResourceNotFoundException } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { DeleteMessageCommand, GetQueueUrlCommand, QueueDoesNotExist, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import WebSocket from 'ws'

const stack = process.env.STACK_URL ?? 'http://localhost:5055'
const patience = 60_000 // milliseconds that the script waits for what must come; nothing asserts how fast it came

const aws = { endpoint: stack, region: 'eu-west-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
const page = async (path) => (await fetch(stack + path)).json()
const { webSocketUrl, eventBus, stage } = await page('/_local/info')

const events = new EventBridgeClient(aws)
const queues = new SQSClient(aws)
const tables = new DynamoDBClient(aws)
const connections = new ApiGatewayManagementApiClient({ ...aws, endpoint: `${stack}/${stage}` }) // on AWS: the output ManagementEndpoint

/** Ends the script, and so fails the run, where the two differ. */
function check(what, got, want = true) {
  if (!isDeepStrictEqual(got, want)) {
    console.error(`FAILED ${what}: got`, got, 'want', want)
    process.exit(1)
  }
  console.log(`ok ${what}`)
}

/** What a call that must fail throws. */
async function error(client, command) {
  try {
    await client.send(command)
  } catch (thrown) {
    return thrown
  }
  return undefined
}

/** A user's connection. Its messages are queued, so that none is missed. */
class Client {
  #socket
  #messages = []
  #wake = () => {}

  static async connect() {
    const client = new Client()
    client.#socket = new WebSocket(webSocketUrl)
    client.#socket.on('message', (data) => {
      client.#messages.push(JSON.parse(data))
      client.#wake()
    })
    client.closed = new Promise((resolve) => client.#socket.on('close', resolve))
    await within(new Promise((resolve, reject) => client.#socket.on('open', resolve).on('error', reject)), 'the connection')
    return client
  }

  send(message) {
    this.#socket.send(JSON.stringify(message))
  }

  async receive() {
    while (this.#messages.length === 0) {
      await within(new Promise((resolve) => (this.#wake = resolve)), 'a message')
    }
    return this.#messages.shift()
  }
}

async function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what} did not come`)), patience)))
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const tenant = `javascript-${randomUUID().slice(0, 8)}`
const entry = (eventId, detail = {}) => ({
  EventBusName: eventBus,
  Source: 'purposepath.goals',
  DetailType: 'goal.resumed',
  Detail: JSON.stringify({ tenantId: tenant, eventId, goalId: 'goal-4f1c', resumedAt: new Date(), resumedBy: 'user-ana', ...detail }),
})

// A user's client, so that there is somebody to receive.
const client = await Client.connect()
const { token } = await page(`/_local/token?tenant=${tenant}&user=ana`)
client.send({ action: 'auth', token })
const authenticated = await client.receive()
check('a client authenticates', authenticated.type, 'auth.success')
const { connectionId: ConnectionId, sequence: head } = authenticated.data

// PutEvents.
const put = await events.send(new PutEventsCommand({ Entries: [entry('e-1'), entry('e-2'), { ...entry('bad'), Detail: '{' }] }))
check('PutEvents counts the entries that failed', put.FailedEntryCount, 1)
check('and answers each in its place', put.Entries.map((e) => e.ErrorCode ?? typeof e.EventId), ['string', 'string', 'MalformedDetail'])
const received = [await client.receive(), await client.receive()]
check('the others arrive', received.map((e) => e.eventId).sort(), ['e-1', 'e-2'])
check('numbered, and these fit a JavaScript number', received.map((e) => e.sequence), [head + 1, head + 2])
check('below its greatest', Number.isSafeInteger(head + 2))
check('as envelopes of the tenant', new Set(received.map((e) => `${e.type} ${e.tenantId}`)), new Set([`goal.resumed ${tenant}`]))
const tooMany = await error(events, new PutEventsCommand({ Entries: Array(11).fill(entry('e')) }))
check('eleven entries are refused', [tooMany.name, tooMany.$metadata.httpStatusCode], ['ValidationException', 400])

// Tables.
const { Item } = await tables.send(new GetItemCommand({ TableName: 'Tenants', Key: { tenantId: { S: tenant } } }))
check("the tenant's head is in its table", Item.head, { N: String(head + 2) })
const log = await tables.send(
  new QueryCommand({
    TableName: 'Events',
    KeyConditionExpression: 'tenantId = :tenant AND begins_with(entry, :numbered)',
    ExpressionAttributeValues: { ':tenant': { S: tenant }, ':numbered': { S: 'seq#' } },
    ConsistentRead: true,
  }),
)
check('its log holds what was received', log.Items.map((item) => JSON.parse(item.envelope.S)), received)
check('a table that is none is an error', (await error(tables, new GetItemCommand({ TableName: 'None', Key: { a: { S: 'b' } } }))) instanceof ResourceNotFoundException)

// An event that breaks its schema is put all the same, refused, and found in the dead-letter queue. The SDK compares every body
// with the checksum that came with it.
const refused = (await events.send(new PutEventsCommand({ Entries: [entry('e-3', { resumedBy: 7 })] }))).Entries[0].EventId
const { QueueUrl } = await queues.send(new GetQueueUrlCommand({ QueueName: 'DeadLetterQueue' }))
const until = Date.now() + patience
let letter
while (letter === undefined && Date.now() < until) {
  const { Messages = [] } = await queues.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'], WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
  )
  letter = Messages.find((message) => message.Body.includes(refused))
}
check('a refused event becomes a dead letter', letter !== undefined)
const event = JSON.parse(letter.Body)
check("its body is EventBridge's event", [event.id, event['detail-type'], event.detail.resumedBy], [refused, 'goal.resumed', 7])
const { reason, field, refusedBy } = letter.MessageAttributes
check('with the reason', [reason, field, refusedBy].map((a) => a.StringValue), ['invalid_payload', 'resumedBy', 'broadcaster'])
await queues.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: letter.ReceiptHandle }))
const noQueue = await error(queues, new GetQueueUrlCommand({ QueueName: 'none' }))
check('a queue that is none is QueueDoesNotExist', noQueue instanceof QueueDoesNotExist)

// @connections.
const message = { from: 'JavaScript', text: 'naïve ☂' }
await connections.send(new PostToConnectionCommand({ ConnectionId, Data: JSON.stringify(message) }))
check('what is posted arrives', await client.receive(), message)
const known = await connections.send(new GetConnectionCommand({ ConnectionId }))
check('GetConnection answers dates', [known.ConnectedAt instanceof Date, known.LastActiveAt instanceof Date], [true, true])
check("and the client's address", known.Identity, { SourceIp: '127.0.0.1' })

const tooLarge = await error(connections, new PostToConnectionCommand({ ConnectionId, Data: new Uint8Array(128 * 1024 + 1) }))
check('more than 128 KB is PayloadTooLargeException', [tooLarge instanceof PayloadTooLargeException, tooLarge.$metadata.httpStatusCode], [true, 413])
const malformed = await error(connections, new GetConnectionCommand({ ConnectionId: 'me' }))
check('an id that is none is refused', [malformed.name, malformed.$metadata.httpStatusCode], ['BadRequestException', 400])
const elsewhere = new ApiGatewayManagementApiClient({ ...aws, endpoint: `${stack}/nowhere` })
check('a stage that is none is ForbiddenException', (await error(elsewhere, new GetConnectionCommand({ ConnectionId }))) instanceof ForbiddenException)

const deleted = await connections.send(new DeleteConnectionCommand({ ConnectionId }))
check('the connection is deleted', deleted.$metadata.httpStatusCode, 204)
check('its client sees it closed', await within(client.closed, 'the end'), 1000)
for (const command of [
  new PostToConnectionCommand({ ConnectionId, Data: '{}' }),
  new GetConnectionCommand({ ConnectionId }),
  new DeleteConnectionCommand({ ConnectionId }),
]) {
  const thrown = await error(connections, command)
  check(`then ${command.constructor.name} throws GoneException`, thrown instanceof GoneException)
  check('with status 410, not retried', [thrown.$metadata.httpStatusCode, thrown.$metadata.attempts], [410, 1])
}
