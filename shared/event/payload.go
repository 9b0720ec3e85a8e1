package event

// The payloads of the domain events. The struct is the schema: a field without omitempty is required, a pointer without omitempty may
// be null, the Go type gives the rule (see Kind), `only` narrows an enum to some of its values, `doc` explains what the name does not.

// Common is what every payload may carry beside its own fields. A payload's own field of the same name replaces it.
type Common struct {
	TenantID  ID     `json:"tenantId" doc:"The tenant whose users receive the event."`
	Title     string `json:"title,omitempty" doc:"Title of the entity, for sentences."`
	GoalTitle string `json:"goalTitle,omitempty" doc:"Title of the goal, for sentences."`
	ActorName string `json:"actorName,omitempty" doc:"Name of the person who acted, for sentences."`
}

// OfGoal links a payload to the goal it belongs to, where the producer knows it.
type OfGoal struct {
	GoalID ID `json:"goalId,omitempty" doc:"The goal it belongs to, where the producer knows it."`
}

// GoalStatus is where a goal stands.
type GoalStatus string

// Values lists the statuses of a goal.
func (GoalStatus) Values() []string {
	return []string{"draft", "active", "completed", "paused", "archived"}
}

// ActivityType is the kind of an entry in a goal's activity.
type ActivityType string

// Values lists the kinds of activity.
func (ActivityType) Values() []string {
	return []string{"note", "comment", "attachment", "decision", "review"}
}

// ActionStatus is where an action stands.
type ActionStatus string

// Values lists the statuses of an action.
func (ActionStatus) Values() []string {
	return []string{"todo", "in_progress", "completed", "paused", "blocked"}
}

// ActionPriority is how urgent an action is.
type ActionPriority string

// Values lists the priorities of an action, least urgent first.
func (ActionPriority) Values() []string { return []string{"low", "medium", "high", "critical"} }

// IssueSeverity is how much harm an issue does.
type IssueSeverity string

// Values lists the severities of an issue, least harm first.
func (IssueSeverity) Values() []string { return []string{"low", "medium", "high", "critical"} }

// IssueStatus is where an issue stands.
type IssueStatus string

// Values lists the statuses of an issue.
func (IssueStatus) Values() []string { return []string{"open", "in_progress", "resolved", "closed"} }

// IssuePriority is how soon an issue is to be dealt with.
type IssuePriority string

// Values lists the priorities of an issue, least urgent first.
func (IssuePriority) Values() []string { return []string{"low", "medium", "high", "urgent"} }

// IssueCategory is what sort of issue it is.
type IssueCategory string

// Values lists the categories of an issue.
func (IssueCategory) Values() []string {
	return []string{"bug", "feature", "improvement", "question", "other"}
}

// GoalCreatedData is the payload of goal.created.
type GoalCreatedData struct {
	GoalID      ID         `json:"goalId"`
	UserID      ID         `json:"userId" doc:"Whose goal it is."`
	Title       Title      `json:"title"`
	Description string     `json:"description" doc:"Always present, possibly empty."`
	Status      GoalStatus `json:"status"`
	CreatedAt   Timestamp  `json:"createdAt"`
	CreatedBy   ID         `json:"createdBy"`
	Common
}

// GoalActivatedData is the payload of goal.activated.
type GoalActivatedData struct {
	GoalID         ID         `json:"goalId"`
	PreviousStatus GoalStatus `json:"previousStatus"`
	NewStatus      GoalStatus `json:"newStatus" only:"active"`
	ActivatedAt    Timestamp  `json:"activatedAt"`
	ActivatedBy    ID         `json:"activatedBy"`
	Common
}

// GoalCompletedData is the payload of goal.completed.
type GoalCompletedData struct {
	GoalID      ID        `json:"goalId"`
	CompletedAt Timestamp `json:"completedAt"`
	CompletedBy ID        `json:"completedBy"`
	FinalNotes  string    `json:"finalNotes,omitempty"`
	Common
}

// GoalCancelledData is the payload of goal.cancelled.
type GoalCancelledData struct {
	GoalID      ID        `json:"goalId"`
	CancelledAt Timestamp `json:"cancelledAt"`
	CancelledBy ID        `json:"cancelledBy"`
	Reason      string    `json:"reason,omitempty"`
	Common
}

// GoalPausedData is the payload of goal.paused.
type GoalPausedData struct {
	GoalID   ID        `json:"goalId"`
	PausedAt Timestamp `json:"pausedAt"`
	PausedBy ID        `json:"pausedBy"`
	Reason   string    `json:"reason,omitempty"`
	Common
}

// GoalResumedData is the payload of goal.resumed.
type GoalResumedData struct {
	GoalID    ID        `json:"goalId"`
	ResumedAt Timestamp `json:"resumedAt"`
	ResumedBy ID        `json:"resumedBy"`
	Common
}

// GoalActivityCreatedData is the payload of goal.activity.created.
type GoalActivityCreatedData struct {
	ActivityID ID           `json:"activityId"`
	GoalID     ID           `json:"goalId"`
	Type       ActivityType `json:"type"`
	Title      Title        `json:"title" doc:"Title of the activity; the goal's is goalTitle."`
	Content    string       `json:"content"`
	Tags       []string     `json:"tags,omitempty"`
	CreatedAt  Timestamp    `json:"createdAt"`
	CreatedBy  ID           `json:"createdBy"`
	Common
}

// ActionCreatedData is the payload of action.created.
type ActionCreatedData struct {
	ActionID    ID             `json:"actionId"`
	GoalID      ID             `json:"goalId"`
	Title       Title          `json:"title"`
	Description string         `json:"description"`
	AssignedTo  ID             `json:"assignedTo"`
	DueDate     Date           `json:"dueDate"`
	Priority    ActionPriority `json:"priority"`
	Status      ActionStatus   `json:"status"`
	CreatedAt   Timestamp      `json:"createdAt"`
	CreatedBy   ID             `json:"createdBy"`
	Common
}

// ActionStatusChangedData is the payload of action.status_changed.
type ActionStatusChangedData struct {
	ActionID       ID           `json:"actionId"`
	PreviousStatus ActionStatus `json:"previousStatus"`
	NewStatus      ActionStatus `json:"newStatus"`
	ChangedAt      Timestamp    `json:"changedAt"`
	ChangedBy      ID           `json:"changedBy"`
	OfGoal
	Common
}

// ActionCompletedData is the payload of action.completed.
type ActionCompletedData struct {
	ActionID    ID        `json:"actionId"`
	CompletedAt Timestamp `json:"completedAt"`
	CompletedBy ID        `json:"completedBy"`
	Outcome     string    `json:"outcome,omitempty"`
	OnTime      bool      `json:"onTime" doc:"Whether it was completed by its due date."`
	OfGoal
	Common
}

// ActionPriorityChangedData is the payload of action.priority_changed.
type ActionPriorityChangedData struct {
	ActionID         ID             `json:"actionId"`
	PreviousPriority ActionPriority `json:"previousPriority"`
	NewPriority      ActionPriority `json:"newPriority"`
	ChangedAt        Timestamp      `json:"changedAt"`
	ChangedBy        ID             `json:"changedBy"`
	Reason           string         `json:"reason,omitempty"`
	OfGoal
	Common
}

// ActionReassignedData is the payload of action.reassigned.
type ActionReassignedData struct {
	ActionID         ID        `json:"actionId"`
	PreviousAssignee *ID       `json:"previousAssignee" doc:"Null when nobody had it."`
	NewAssignee      ID        `json:"newAssignee"`
	AssignedAt       Timestamp `json:"assignedAt"`
	AssignedBy       ID        `json:"assignedBy"`
	Note             string    `json:"note,omitempty"`
	OfGoal
	Common
}

// ActionProgressUpdatedData is the payload of action.progress_updated.
type ActionProgressUpdatedData struct {
	ActionID         ID        `json:"actionId"`
	PreviousProgress Percent   `json:"previousProgress"`
	NewProgress      Percent   `json:"newProgress"`
	UpdatedAt        Timestamp `json:"updatedAt"`
	UpdatedBy        ID        `json:"updatedBy"`
	OfGoal
	Common
}

// IssueCreatedData is the payload of issue.created.
type IssueCreatedData struct {
	IssueID     ID            `json:"issueId"`
	Title       Title         `json:"title"`
	Description string        `json:"description"`
	Severity    IssueSeverity `json:"severity"`
	Status      IssueStatus   `json:"status"`
	Priority    IssuePriority `json:"priority"`
	Category    IssueCategory `json:"category"`
	AssignedTo  ID            `json:"assignedTo,omitempty"`
	CreatedAt   Timestamp     `json:"createdAt"`
	CreatedBy   ID            `json:"createdBy"`
	OfGoal
	Common
}

// IssueStatusChangedData is the payload of issue.status_changed.
type IssueStatusChangedData struct {
	IssueID        ID          `json:"issueId"`
	PreviousStatus IssueStatus `json:"previousStatus"`
	NewStatus      IssueStatus `json:"newStatus"`
	ChangedAt      Timestamp   `json:"changedAt"`
	ChangedBy      ID          `json:"changedBy"`
	OfGoal
	Common
}

// MeasureReadingCreatedData is the payload of measure.reading_created.
type MeasureReadingCreatedData struct {
	ReadingID  ID        `json:"readingId"`
	MeasureID  ID        `json:"measureId"`
	Value      float64   `json:"value"`
	Date       Date      `json:"date" doc:"The day the reading is for."`
	Note       string    `json:"note,omitempty"`
	RecordedAt Timestamp `json:"recordedAt"`
	RecordedBy ID        `json:"recordedBy"`
	Progress   *Percent  `json:"progress,omitempty" doc:"How far the measure is towards its target."`
	OfGoal
	Common
}
