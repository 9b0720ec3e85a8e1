package event

import (
	"encoding/json"
	"slices"
	"strings"
)

// A Type names what happened, or which control message it is.
type Type string

// A Direction says who sends a message to whom.
type Direction string

// The two directions on the socket.
const (
	ToClient Direction = "server to client"
	ToServer Direction = "client to server"
)

// A Spec is one row of the catalogue.
//
// Entity, Actor, Goal and Time are names of payload fields. In a Title and a Sentence, {actor}, {entity} and {goal} stand for names, with a
// fallback where the producer sent none ("Someone", "an action", "a goal"); any other name in braces is a payload field.
type Spec struct {
	Type      Type
	Direction Direction
	Summary   string // what happened, or what the message is for
	Data      any    // the payload struct, filled with the sample
	Aliases   []Alias

	// Domain events only.
	Kind     string // the kind of entity it is about
	Entity   string // the field that names it
	Actor    string // the field that names who did it
	Goal     string // the field that names the goal
	Time     string // the field that says when
	Title    string // of a toast, which names the entity and the actor below it
	Sentence string // for feeds
}

// An Alias is another name under which producers send a type. Every type is also taken with hyphens for its dots and underscores.
type Alias struct {
	Type     Type
	From, To string // a field that is called differently under this name; empty when none is
}

// Domain says whether the row is an event of a domain service; the others are control and client messages.
func (s Spec) Domain() bool { return s.Kind != "" }

// Catalogue lists every type: domain events first, then what the server says, then what clients say.
func Catalogue() []Spec { return slices.Clone(catalogue) }

// Hyphenated is the name with hyphens for dots and underscores, as the SSE system wrote it and as file names have it.
func (t Type) Hyphenated() string {
	return strings.ReplaceAll(strings.ReplaceAll(string(t), ".", "-"), "_", "-")
}

// resolve finds the domain event a detail-type stands for, and the alias through which.
func resolve(detailType string) (Spec, Alias, bool) {
	for _, s := range catalogue {
		if !s.Domain() {
			continue
		}
		if named(s.Type, detailType) {
			return s, Alias{}, true
		}
		for _, a := range s.Aliases {
			if named(a.Type, detailType) {
				return s, a, true
			}
		}
	}
	return Spec{}, Alias{}, false
}

func named(t Type, detailType string) bool {
	return string(t) == detailType || strings.Contains(detailType, "-") && t.Hyphenated() == detailType
}

// Names in the samples: one small story, so that samples published one after the other make sense together.
const (
	sampleTenant  = "demo"
	sampleGoal    = "goal-4f1c"
	sampleAction  = "action-91b0"
	sampleIssue   = "issue-2d77"
	sampleMeasure = "measure-08ae"
	sampleAna     = "user-ana"
	sampleBen     = "user-ben"
	goalTitle     = "Raise customer retention to 92 %"
	actionTitle   = "Call the ten largest customers"
	issueTitle    = "Exports time out for large accounts"
	measureTitle  = "Monthly retention"
	ana           = "Ana Duarte"
	ben           = "Ben Okafor"
)

// The catalogue. Read only: nothing writes to it after start-up.
var catalogue = []Spec{
	{
		Type: "goal.created", Direction: ToClient, Summary: "A goal was created.",
		Kind: "goal", Entity: "goalId", Actor: "createdBy", Goal: "goalId", Time: "createdAt",
		Title: "Goal created", Sentence: "{actor} created {entity}",
		Data: GoalCreatedData{
			GoalID: sampleGoal, UserID: sampleAna, Title: goalTitle, Description: "Keep the customers we win.", Status: "draft",
			CreatedAt: "2026-03-02T08:15:00.000Z", CreatedBy: sampleAna,
			Common: Common{TenantID: sampleTenant, ActorName: ana},
		},
	},
	{
		Type: "goal.activated", Direction: ToClient, Summary: "A goal became active.",
		Kind: "goal", Entity: "goalId", Actor: "activatedBy", Goal: "goalId", Time: "activatedAt",
		Title: "Goal activated", Sentence: "{actor} activated {entity}",
		Data: GoalActivatedData{
			GoalID: sampleGoal, PreviousStatus: "draft", NewStatus: "active",
			ActivatedAt: "2026-03-02T08:20:00.000Z", ActivatedBy: sampleAna,
			Common: Common{TenantID: sampleTenant, Title: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "goal.completed", Direction: ToClient, Summary: "A goal was reached.",
		Kind: "goal", Entity: "goalId", Actor: "completedBy", Goal: "goalId", Time: "completedAt",
		Title: "Goal completed", Sentence: "{actor} completed {entity}",
		Data: GoalCompletedData{
			GoalID: sampleGoal, CompletedAt: "2026-06-30T16:05:00.000Z", CompletedBy: sampleAna, FinalNotes: "92.4 % in June.",
			Common: Common{TenantID: sampleTenant, Title: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "goal.cancelled", Direction: ToClient, Summary: "A goal was given up.",
		Kind: "goal", Entity: "goalId", Actor: "cancelledBy", Goal: "goalId", Time: "cancelledAt",
		Title: "Goal cancelled", Sentence: "{actor} cancelled {entity}",
		Data: GoalCancelledData{
			GoalID: sampleGoal, CancelledAt: "2026-05-04T11:00:00.000Z", CancelledBy: sampleBen, Reason: "Merged into another goal.",
			Common: Common{TenantID: sampleTenant, Title: goalTitle, ActorName: ben},
		},
	},
	{
		Type: "goal.paused", Direction: ToClient, Summary: "Work on a goal was paused.",
		Kind: "goal", Entity: "goalId", Actor: "pausedBy", Goal: "goalId", Time: "pausedAt",
		Title: "Goal paused", Sentence: "{actor} paused {entity}",
		Data: GoalPausedData{
			GoalID: sampleGoal, PausedAt: "2026-04-01T09:30:00.000Z", PausedBy: sampleAna, Reason: "Waiting for the new pricing.",
			Common: Common{TenantID: sampleTenant, Title: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "goal.resumed", Direction: ToClient, Summary: "Work on a paused goal goes on.",
		Kind: "goal", Entity: "goalId", Actor: "resumedBy", Goal: "goalId", Time: "resumedAt",
		Title: "Goal resumed", Sentence: "{actor} resumed {entity}",
		Data: GoalResumedData{
			GoalID: sampleGoal, ResumedAt: "2026-04-13T07:45:00.000Z", ResumedBy: sampleAna,
			Common: Common{TenantID: sampleTenant, Title: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "goal.activity.created", Direction: ToClient, Summary: "Somebody wrote a note or comment on a goal, attached a file, recorded a decision or a review.",
		Kind: "goal", Entity: "goalId", Actor: "createdBy", Goal: "goalId", Time: "createdAt",
		Title: "New {type}", Sentence: "{actor} posted on {goal}: {title}",
		Data: GoalActivityCreatedData{
			ActivityID: "activity-5c3e", GoalID: sampleGoal, Type: "decision", Title: "Focus on accounts over 50 seats",
			Content: "Smaller accounts follow in autumn.", Tags: []string{"scope", "q2"},
			CreatedAt: "2026-03-09T14:00:00.000Z", CreatedBy: sampleBen,
			Common: Common{TenantID: sampleTenant, GoalTitle: goalTitle, ActorName: ben},
		},
	},
	{
		Type: "action.created", Direction: ToClient, Summary: "An action was created for a goal.",
		Kind: "action", Entity: "actionId", Actor: "createdBy", Goal: "goalId", Time: "createdAt",
		Title: "Action created", Sentence: "{actor} created {entity}",
		Data: ActionCreatedData{
			ActionID: sampleAction, GoalID: sampleGoal, Title: actionTitle, Description: "Ask what would make them stay.",
			AssignedTo: sampleBen, DueDate: "2026-03-31", Priority: "high", Status: "todo",
			CreatedAt: "2026-03-02T08:40:00.000Z", CreatedBy: sampleAna,
			Common: Common{TenantID: sampleTenant, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "action.status_changed", Direction: ToClient, Summary: "An action's status changed.",
		Kind: "action", Entity: "actionId", Actor: "changedBy", Goal: "goalId", Time: "changedAt",
		Title: "Action set to {newStatus}", Sentence: "{actor} set {entity} to {newStatus}",
		Data: ActionStatusChangedData{
			ActionID: sampleAction, PreviousStatus: "todo", NewStatus: "in_progress",
			ChangedAt: "2026-03-10T09:00:00.000Z", ChangedBy: sampleBen,
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: actionTitle, GoalTitle: goalTitle, ActorName: ben},
		},
	},
	{
		Type: "action.completed", Direction: ToClient, Summary: "An action was done.",
		Kind: "action", Entity: "actionId", Actor: "completedBy", Goal: "goalId", Time: "completedAt",
		Title: "Action completed", Sentence: "{actor} completed {entity}",
		Data: ActionCompletedData{
			ActionID: sampleAction, CompletedAt: "2026-03-27T15:20:00.000Z", CompletedBy: sampleBen,
			Outcome: "Nine of ten reached.", OnTime: true,
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: actionTitle, GoalTitle: goalTitle, ActorName: ben},
		},
	},
	{
		Type: "action.priority_changed", Direction: ToClient, Summary: "An action's priority changed.",
		Kind: "action", Entity: "actionId", Actor: "changedBy", Goal: "goalId", Time: "changedAt",
		Title: "Priority set to {newPriority}", Sentence: "{actor} changed the priority of {entity} from {previousPriority} to {newPriority}",
		Data: ActionPriorityChangedData{
			ActionID: sampleAction, PreviousPriority: "high", NewPriority: "critical",
			ChangedAt: "2026-03-16T10:10:00.000Z", ChangedBy: sampleAna, Reason: "Two of them gave notice.",
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: actionTitle, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "action.reassigned", Direction: ToClient, Summary: "An action went to somebody else.",
		Kind: "action", Entity: "actionId", Actor: "assignedBy", Goal: "goalId", Time: "assignedAt",
		Title: "Action reassigned", Sentence: "{actor} reassigned {entity}",
		Data: ActionReassignedData{
			ActionID: sampleAction, PreviousAssignee: new(ID(sampleBen)), NewAssignee: sampleAna,
			AssignedAt: "2026-03-18T12:00:00.000Z", AssignedBy: sampleAna, Note: "Ben is on leave.",
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: actionTitle, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "action.progress_updated", Direction: ToClient, Summary: "An action's progress was updated.",
		Kind: "action", Entity: "actionId", Actor: "updatedBy", Goal: "goalId", Time: "updatedAt",
		Title: "Action at {newProgress} %", Sentence: "{actor} moved {entity} from {previousProgress} % to {newProgress} %",
		Data: ActionProgressUpdatedData{
			ActionID: sampleAction, PreviousProgress: 20, NewProgress: 60,
			UpdatedAt: "2026-03-20T17:30:00.000Z", UpdatedBy: sampleAna,
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: actionTitle, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "issue.created", Direction: ToClient, Summary: "An issue was reported.",
		Kind: "issue", Entity: "issueId", Actor: "createdBy", Goal: "goalId", Time: "createdAt",
		Title: "Issue reported", Sentence: "{actor} reported {entity}",
		Data: IssueCreatedData{
			IssueID: sampleIssue, Title: issueTitle, Description: "Over 20,000 rows the export stops at 30 s.",
			Severity: "high", Status: "open", Priority: "urgent", Category: "bug", AssignedTo: sampleBen,
			CreatedAt: "2026-03-12T13:05:00.000Z", CreatedBy: sampleAna,
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: "issue.status_changed", Direction: ToClient, Summary: "An issue's status changed.",
		Kind: "issue", Entity: "issueId", Actor: "changedBy", Goal: "goalId", Time: "changedAt",
		Title: "Issue set to {newStatus}", Sentence: "{actor} set {entity} to {newStatus}",
		Data: IssueStatusChangedData{
			IssueID: sampleIssue, PreviousStatus: "in_progress", NewStatus: "resolved",
			ChangedAt: "2026-03-19T16:45:00.000Z", ChangedBy: sampleBen,
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: issueTitle, GoalTitle: goalTitle, ActorName: ben},
		},
	},
	{
		Type: "measure.reading_created", Direction: ToClient, Summary: "A measure got a new reading.",
		Aliases: []Alias{{Type: "measure.reading.created"}, {Type: "kpi.reading_created", From: "kpiId", To: "measureId"}},
		Kind:    "measure", Entity: "measureId", Actor: "recordedBy", Goal: "goalId", Time: "recordedAt",
		Title: "New reading: {value}", Sentence: "{actor} recorded {value} for {entity}",
		Data: MeasureReadingCreatedData{
			ReadingID: "reading-b6d2", MeasureID: sampleMeasure, Value: 90.5, Date: "2026-03-31", Note: "Provisional.",
			RecordedAt: "2026-04-01T06:00:00.000Z", RecordedBy: sampleAna, Progress: new(Percent(62.5)),
			OfGoal: OfGoal{GoalID: sampleGoal},
			Common: Common{TenantID: sampleTenant, Title: measureTitle, GoalTitle: goalTitle, ActorName: ana},
		},
	},
	{
		Type: TypeAuthSuccess, Direction: ToClient, Summary: "The connection is authenticated, or its authentication renewed.",
		Data: AuthSuccess{
			TenantID: sampleTenant, UserID: sampleAna, ConnectionID: "R1kmxc2VNjMCFIA=", ExpiresAt: "2026-03-02T09:15:00.000Z",
			Protocol: ProtocolVersion, Accepted: []string{AcceptBatch}, Sequence: 1772439300007,
			Recovery: &Recovery{After: new(int64(1772439300004)), Recovered: true}, Ref: "1",
		},
	},
	{
		Type: TypeAuthError, Direction: ToClient, Summary: "The auth message was refused.",
		Data: AuthError{Error: "The token has expired.", Code: CodeUnauthorized, Reason: ReasonTokenExpired, Ref: "1"},
	},
	{
		Type: TypeConnectionError, Direction: ToClient, Summary: "A message was refused, or the connection is about to be closed.",
		Data: ConnectionError{Error: "what was missed could not be sent now", Code: CodeRateLimit, RetryAfterMs: 1000, Ref: "2"},
	},
	{
		Type: TypePong, Direction: ToClient, Summary: "Answers a ping with the tenant's head.",
		Data: Pong{Sequence: 1772439300007, Recovery: &Recovery{After: new(int64(1772439300007)), Recovered: true}, Ref: "2"},
	},
	{
		Type: TypeBatch, Direction: ToClient, Summary: "Several events in one frame, for connections that accept it.",
		Data: Batch{Events: []json.RawMessage{
			json.RawMessage(`{"type":"goal.resumed","timestamp":"2026-04-13T07:45:00.000Z","eventId":"0b9e5a4e-1f0c-4a53-9a2f-6f3f1f3d0c11","tenantId":"demo","sequence":1772439300008,"data":{"goalId":"goal-4f1c","resumedAt":"2026-04-13T07:45:00.000Z","resumedBy":"user-ana","tenantId":"demo"}}`),
		}},
	},
	{
		Type: TypeRotate, Direction: ToClient, Summary: "Asks the client to move to a new connection, before maintenance.",
		Data: Rotate{WithinMs: 60000},
	},
	{
		Type: TypeAuth, Direction: ToServer, Summary: "Authenticates, renews the authentication, resumes after a position.",
		Data: AuthMessage{
			Action: "auth", Token: "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", LastSequence: new(int64(1772439300004)), Accept: []string{AcceptBatch},
			Protocol: new(ProtocolVersion), Client: &ClientInfo{Name: "web", Version: "1.0.0"}, Ref: "1",
		},
	},
	{
		Type: TypePing, Direction: ToServer, Summary: "Keeps the connection alive; with a position, heals a gap.",
		Data: PingMessage{Action: "ping", LastSequence: new(int64(1772439300007)), Ref: "2"},
	},
}
