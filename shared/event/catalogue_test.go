package event_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
)

// protocol is the first catalogue, written a second time by hand: clients in use rely on each of these payloads. A field without a kind is
// an id, ? is optional, every payload has tenantId, title?, goalTitle? and actorName? besides.
var protocol = map[event.Type]string{
	"goal.created":            "goalId, userId, title h, description s, status draft/active/completed/paused/archived, createdAt t, createdBy",
	"goal.activated":          "goalId, previousStatus draft/active/completed/paused/archived, newStatus active, activatedAt t, activatedBy",
	"goal.completed":          "goalId, completedAt t, completedBy, finalNotes? s",
	"goal.cancelled":          "goalId, cancelledAt t, cancelledBy, reason? s",
	"goal.paused":             "goalId, pausedAt t, pausedBy, reason? s",
	"goal.resumed":            "goalId, resumedAt t, resumedBy",
	"goal.activity.created":   "activityId, goalId, type note/comment/attachment/decision/review, title h, content s, tags? l, createdAt t, createdBy",
	"action.created":          "actionId, goalId, title h, description s, assignedTo, dueDate d, priority low/medium/high/critical, status todo/in_progress/completed/paused/blocked, createdAt t, createdBy",
	"action.status_changed":   "actionId, previousStatus todo/in_progress/completed/paused/blocked, newStatus todo/in_progress/completed/paused/blocked, changedAt t, changedBy, goalId?",
	"action.completed":        "actionId, completedAt t, completedBy, outcome? s, onTime b, goalId?",
	"action.priority_changed": "actionId, previousPriority low/medium/high/critical, newPriority low/medium/high/critical, changedAt t, changedBy, reason? s, goalId?",
	"action.reassigned":       "actionId, previousAssignee null, newAssignee, assignedAt t, assignedBy, note? s, goalId?",
	"action.progress_updated": "actionId, previousProgress p, newProgress p, updatedAt t, updatedBy, goalId?",
	"measure.reading_created": "readingId, measureId, value n, date d, note? s, recordedAt t, recordedBy, progress? p, goalId?",
	"issue.created":           "issueId, title h, description s, severity low/medium/high/critical, status open/in_progress/resolved/closed, priority low/medium/high/urgent, category bug/feature/improvement/question/other, assignedTo?, createdAt t, createdBy, goalId?",
	"issue.status_changed":    "issueId, previousStatus open/in_progress/resolved/closed, newStatus open/in_progress/resolved/closed, changedAt t, changedBy, goalId?",
}

func TestPayloadsAreTheProtocols(t *testing.T) {
	t.Parallel()
	kinds := map[event.Kind]string{
		event.KindTitle: "h", event.KindText: "s", event.KindTimestamp: "t", event.KindDate: "d", event.KindNumber: "n",
		event.KindPercent: "p", event.KindBool: "b", event.KindList: "l",
	}
	got := map[event.Type]string{}
	for _, spec := range event.Catalogue() {
		if !spec.Domain() {
			continue
		}
		var fields, common []string
		for _, f := range event.Fields(spec.Data) {
			text := f.Name
			if !f.Required {
				text += "?"
			}
			switch {
			case f.Nullable:
				text += " null"
			case f.Kind == event.KindEnum:
				text += " " + strings.Join(f.Values, "/")
			case f.Kind != event.KindID:
				text += " " + kinds[f.Kind]
			}
			if slices.Contains([]string{"tenantId", "title? s", "goalTitle? s", "actorName? s"}, text) {
				common = append(common, text)
				continue
			}
			fields = append(fields, text)
		}
		if want := 4; len(common) != want && !(len(common) == want-1 && slices.Contains(fields, "title h")) {
			t.Errorf("%s has only %v of the fields that every payload has", spec.Type, common)
		}
		got[spec.Type] = strings.Join(fields, ", ")
	}
	for typ, want := range protocol {
		if diff := cmp.Diff(want, got[typ]); diff != "" {
			t.Errorf("%s (-protocol +catalogue):\n%s", typ, diff)
		}
	}
}

func TestTheCatalogueHasTheUsersTypes(t *testing.T) {
	t.Parallel()
	// Goals 7, actions 6, issues 2, measures 1, auth 2, system 3; batch and rotate are ours, auth is a client's message.
	want := slices.AppendSeq([]event.Type{"auth.success", "auth.error", "connection_error", "ping", "pong", "batch", "rotate", "auth"}, maps.Keys(protocol))
	var got []event.Type
	for _, spec := range event.Catalogue() {
		got = append(got, spec.Type)
		if toServer := spec.Type == "auth" || spec.Type == "ping"; toServer != (spec.Direction == event.ToServer) {
			t.Errorf("%s goes %s", spec.Type, spec.Direction)
		}
	}
	for _, typ := range want {
		if !slices.Contains(got, typ) {
			t.Errorf("the catalogue lacks %s", typ)
		}
	}
}

func TestEveryTypeIsAcceptedWithHyphens(t *testing.T) {
	t.Parallel()
	for _, spec := range event.Catalogue() {
		if !spec.Domain() {
			continue
		}
		detail, err := json.Marshal(spec.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{string(spec.Type), strings.NewReplacer(".", "-", "_", "-").Replace(string(spec.Type))} {
			if e, err := event.FromBus(busID, name, busTime, detail); err != nil || e.Type != spec.Type {
				t.Errorf("FromBus of the sample as %s = %s, %v; want %s", name, e.Type, err, spec.Type)
			}
		}
	}
}

// The golden file lists samples and changes to them with the verdict that every validator must give; the client's tests read it too.
func TestGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../client/test/generated/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Samples  map[event.Type]event.Envelope
		Payloads []map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, mutation := range golden.Payloads {
		word := func(key string) (s string) {
			if mutation[key] != nil {
				if err := json.Unmarshal(mutation[key], &s); err != nil {
					t.Fatal(err)
				}
			}
			return s
		}
		typ, field, path, rule := word("type"), word("field"), word("path"), word("rule")
		var data map[string]json.RawMessage
		if err := json.Unmarshal(golden.Samples[event.Type(typ)].Data, &data); err != nil {
			t.Fatal(err)
		}
		delete(data, field)
		if set, ok := mutation["set"]; ok {
			data[field] = set
		}
		detail, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		_, err = event.FromBus(busID, typ, busTime, detail)
		refusal, _ := err.(*event.Refusal)
		switch {
		case rule == "" && err != nil:
			t.Errorf("%s with %s = %.40s: %v, want it accepted", typ, field, mutation["set"], err)
		case rule != "" && (refusal == nil || refusal.Field != path || refusal.Rule != rule):
			t.Errorf("%s with %s = %.40s: %v, want a refusal of %s by rule %s", typ, field, mutation["set"], err, path, rule)
		case rule != "":
			refused++
		}
	}
	if len(golden.Samples) < len(protocol) || refused < 500 {
		t.Errorf("the golden file holds %d samples and %d changes to refuse: too few to prove anything", len(golden.Samples), refused)
	}
}
