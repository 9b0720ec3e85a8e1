package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
)

func root(t *testing.T) string {
	t.Helper()
	folder, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	files, err := outputs(event.Catalogue(), root(t))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, f := range files {
		made[f.path] = true
		committed, err := os.ReadFile(filepath.Join(root(t), f.path))
		if err != nil {
			t.Errorf("%v: run make generate", err)
			continue
		}
		if !bytes.Equal(committed, f.content) {
			t.Errorf("%s is not what the catalogue says: run make generate", f.path)
		}
	}
	for _, folder := range []string{"docs/schemas", "client/src/generated"} {
		entries, err := os.ReadDir(filepath.Join(root(t), folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if path := folder + "/" + entry.Name(); !made[path] {
				t.Errorf("%s comes from no row of the catalogue: remove it", path)
			}
		}
	}
}

// reviewClosedData is a payload of an event type that the catalogue does not have.
type reviewClosedData struct {
	ReviewID event.ID        `json:"reviewId"`
	Rounds   int64           `json:"rounds"`
	Outcome  reviewOutcome   `json:"outcome"`
	Due      *event.Date     `json:"due"`
	ClosedAt event.Timestamp `json:"closedAt"`
	ClosedBy event.ID        `json:"closedBy"`
	event.OfGoal
	event.Common
}

type reviewOutcome string

func (reviewOutcome) Values() []string { return []string{"accepted", "rejected"} }

var review = event.Spec{
	Type: "review.closed", Direction: event.ToClient, Summary: "A review was closed.",
	Kind: "review", Entity: "reviewId", Actor: "closedBy", Goal: "goalId", Time: "closedAt", Title: "Review closed", Sentence: "{actor} closed {entity} after {rounds} rounds",
	Data: reviewClosedData{ReviewID: "r", Outcome: "accepted", ClosedAt: "2026-03-02T08:15:00.000Z", ClosedBy: "u", Common: event.Common{TenantID: "demo"}},
}

func TestOutputsOfARow(t *testing.T) {
	t.Parallel()
	schema := string(pretty(payloadSchema(review, fileRef)))
	for _, part := range []string{`"title": "ReviewClosedData"`, `"rounds"`, `"integer"`, `"accepted"`} {
		if !strings.Contains(schema, part) {
			t.Errorf("the schema lacks %s:\n%s", part, schema)
		}
	}
	module := eventsModule([]event.Spec{review})
	for _, part := range []string{
		"export type reviewOutcome = 'accepted' | 'rejected';", "  due: string | null;", "  rounds: number;", "  'review.closed': ReviewClosedData;",
		"  REVIEW_CLOSED: 'review.closed',", "'review.closed': ['review', 'reviewId', 'closedBy', 'goalId', 'closedAt'],",
	} {
		if !strings.Contains(module, part) {
			t.Errorf("events.ts lacks %s", part)
		}
	}
	if got := validateModule([]event.Spec{review}); !strings.Contains(got, "'reviewId:i rounds:z outcome:=accepted|rejected due:d~ closedAt:t closedBy:i goalId?:i tenantId:i title?:s goalTitle?:s actorName?:s'") {
		t.Errorf("validate.ts has no row for it:\n%s", got)
	}
	if diff := cmp.Diff([]string{"review.", "review-"}, prefixes([]event.Spec{review})); diff != "" {
		t.Errorf("families (-want +got):\n%s", diff)
	}
	if got := string(constants([]event.Spec{review})); !strings.Contains(got, `ReviewClosed Type = "review.closed"`) {
		t.Errorf("no constant for it:\n%s", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := check(event.Catalogue()); err != nil {
		t.Fatalf("the catalogue itself: %v", err)
	}
	first := event.Catalogue()[0]
	tests := []struct {
		name   string
		change func(*event.Spec)
		want   string
	}{
		{"a sample that breaks a rule", func(s *event.Spec) { s.Data = event.GoalCreatedData{GoalID: "g"} }, "goal.created: its sample: tenant_missing"},
		{"an entity that is no field", func(s *event.Spec) { s.Entity = "id" }, `goal.created: Entity names "id"`},
		{"an actor that may be absent", func(s *event.Spec) { s.Actor = "actorName" }, `goal.created: Actor names "actorName"`},
		{"a time that is no timestamp", func(s *event.Spec) { s.Time = "title" }, `goal.created: Time names "title"`},
		{"a sentence about nothing", func(s *event.Spec) { s.Sentence = "{who} did {what}" }, "the title or sentence names {who}"},
		{"a title about nothing", func(s *event.Spec) { s.Title = "New {thing}" }, "the title or sentence names {thing}"},
		{"no title", func(s *event.Spec) { s.Title = "" }, "it has no title"},
		{"a summary that is no sentence", func(s *event.Spec) { s.Summary = "created" }, "the summary is not a sentence"},
		{"an alias that is another type's name", func(s *event.Spec) { s.Aliases = []event.Alias{{Type: "goal.paused"}} }, "goal.paused is another type's too"},
		{"a type without a family", func(s *event.Spec) { s.Type = "created" }, "created: type and kind must be of the form"},
		{"a field that payloads can't have", func(s *event.Spec) { s.Data = event.Batch{} }, "field events has a type"},
	}
	for _, tt := range tests {
		catalogue := event.Catalogue()
		changed := first
		tt.change(&changed)
		catalogue[0] = changed
		if err := check(catalogue); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "template.yaml")
	before := "a:\n    " + firstMarker + "\n    - prefix: old.\n    " + lastMarker + "\n  b: 1\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := families([]event.Spec{review}, path)
	want := "a:\n    " + firstMarker + "\n    - prefix: review.\n    - prefix: review-\n    " + lastMarker + "\n  b: 1\n"
	if err != nil || string(got) != want {
		t.Errorf("families = %q, %v; want %q", got, err, want)
	}
	for name, text := range map[string]string{
		"no marker":   "a: 1\n",
		"no end":      firstMarker + "\n",
		"wrong order": lastMarker + "\n" + firstMarker + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := families([]event.Spec{review}, path); err == nil || !strings.Contains(err.Error(), "template.yaml needs the line") {
			t.Errorf("%s: %v, want an error that says what is needed", name, err)
		}
	}
}

func TestWithoutATemplateTheRestIsWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	err := write(folder)
	if err == nil || !strings.Contains(err.Error(), "write the rule's families") || strings.Contains(err.Error(), "\n") {
		t.Errorf("write = %v, want one line about the template", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "docs/EVENTS.md")); err != nil {
		t.Error(err)
	}
}

func TestSampleEventsAreWhatLambdaGets(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, f := range samples(event.Catalogue()) {
		var sample struct {
			ID         string
			DetailType string `json:"detail-type"`
			Source     string
			Detail     map[string]any
		}
		if err := json.Unmarshal(f.content, &sample); err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		if f.path != "events/"+event.Type(sample.DetailType).Hyphenated()+".json" || !strings.HasPrefix(sample.Source, "purposepath.") {
			t.Errorf("%s holds %s from %s", f.path, sample.DetailType, sample.Source)
		}
		for _, own := range []string{"eventId", "occurredAt"} {
			if sample.Detail[own] != nil {
				t.Errorf("%s names its %s: published twice it would arrive once, or as of long ago", f.path, own)
			}
		}
		ids[sample.ID] = true
	}
	if got := len(samples(event.Catalogue())); got < 16 || len(ids) != got {
		t.Errorf("%d different ids in %d samples", len(ids), got)
	}
	if !slices.Contains(prefixes(event.Catalogue()), "kpi-") {
		t.Error("the families leave out the hyphenated kpi name")
	}
}
