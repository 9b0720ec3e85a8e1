package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/shared/event"
)

const tenantQueueURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/TenantQueue"

func newPlan() plan { return plan{queue: tenantQueueURL, now: func() time.Time { return now }} }

// aged is a message that came to its queue some time ago.
func aged(m types.Message, d time.Duration) letter {
	l := read(m)
	l.since = now.Add(-d)
	return l
}

func refused(detail string) types.Message {
	return message(busText(detail), "reason", "invalid_payload", "refusedBy", "broadcaster")
}

func undelivered(detail string) types.Message {
	return message(busText(detail), "RULE_ARN", "r", "TARGET_ARN", "t", "ERROR_CODE", "NO_PERMISSIONS")
}

func TestAnEventGoesBackToTheBusUnderItsOwnID(t *testing.T) {
	t.Parallel()
	with := func(members string) string { return strings.Replace(goodDetail, "{", "{"+members, 1) }
	for _, tt := range []struct{ name, detail, want string }{
		{"its own id stays, and every byte", with(`"eventId" : "e-1", `), with(`"eventId" : "e-1", `)},
		{"so does one in snake_case", with(`"event_id":"e-1",`), with(`"event_id":"e-1",`)},
		{"EventBridge's id becomes its own", goodDetail, `{"eventId":"b-1","tenantId":"acme","goalId":"g","resumedAt":"2026-11-25T02:00:00.000Z","resumedBy":"ana"}`},
		{
			"null is no id", with(`"event_id":null,"note":{"eventId": null},`),
			`{"eventId":"b-1","note":{"eventId": null},"tenantId":"acme","goalId":"g","resumedAt":"2026-11-25T02:00:00.000Z","resumedBy":"ana"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := newPlan().parcel(aged(undelivered(tt.detail), time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			want := busEvent{
				ID: "b-1", DetailType: "goal-resumed", Source: "purposepath.goals", Time: time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC),
				Resources: []string{"r"}, Detail: []byte(tt.want),
			}
			if diff := cmp.Diff(want, *p.bus); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatStaysAndWhy(t *testing.T) {
	t.Parallel()
	old := 36*time.Hour + time.Minute
	for _, tt := range []struct {
		name   string
		letter letter
		why    string // "" = it is sent
	}{
		{"still refused", aged(refused(badDetail), time.Hour), "resumedBy must be"},
		{"accepted by now", aged(refused(goodDetail), time.Hour), ""},
		{"refused long ago: it never had a number", aged(refused(goodDetail), 300*time.Hour), ""},
		{"the replay of an archive", aged(refused(`{},"replay-name":"monday"`), time.Hour), "replay"},
		{"not delivered, young", aged(undelivered(goodDetail), 36*time.Hour), ""},
		{"not delivered, old: it may have a number", aged(undelivered(goodDetail), old), "--may-repeat"},
		{"failed, old", aged(message(recordText(busText(goodDetail), "null")), old), "--may-repeat"},
		{"no event at all", aged(message("hello"), time.Hour), "--drop m-1"},
		{"the pusher failed, young", aged(fromGroup(message(queuedText(t, "acme", "e", now.Add(-35*time.Hour))), "g"), time.Hour), ""},
		{"the pusher failed, accepted long ago", aged(fromGroup(message(queuedText(t, "acme", "e", now.Add(-old))), "g"), time.Hour), "1d12h old"},
		{"the pusher found it too old", aged(message(queuedText(t, "acme", "e", now.Add(-old)), "reason", "too_old", "refusedBy", "pusher"), time.Hour), "--may-repeat"},
		{"the table refused it long ago: it never had a number", aged(message(queuedText(t, "acme", "e", now.Add(-old)), "reason", "not_storable", "refusedBy", "pusher"), old), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newPlan().parcel(tt.letter)
			if tt.why == "" && err != nil || tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)) {
				t.Errorf("parcel = %v, want %q", err, tt.why)
			}
			if strings.Contains(tt.why, "--may-repeat") {
				p := newPlan()
				p.mayRepeat = true
				if _, err := p.parcel(tt.letter); err != nil {
					t.Errorf("with --may-repeat: %v", err)
				}
			}
		})
	}
}

// The pusher refuses what was accepted over 36 h ago: the time must go on to count, or an id that is forgotten gets a second number.
func TestTheTimeOfAcceptanceBeginsAnewOnlyWhereThatIsSafeOrWanted(t *testing.T) {
	t.Parallel()
	young, old := now.Add(-35*time.Hour), now.Add(-40*time.Hour)
	for _, tt := range []struct {
		name       string
		message    types.Message
		acceptedAt time.Time
	}{
		{"the pusher failed", fromGroup(message(queuedText(t, "acme", "e", young)), "g"), young},
		{"the pusher failed long ago, and it may repeat", fromGroup(message(queuedText(t, "acme", "e", old)), "g"), now},
		{"it never had a number", message(queuedText(t, "acme", "e", old), "reason", "not_storable", "refusedBy", "pusher"), now},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlan()
			p.mayRepeat = true
			got, err := p.parcel(read(tt.message))
			if err != nil {
				t.Fatal(err)
			}
			if !got.queued.AcceptedAt.Equal(tt.acceptedAt) {
				t.Errorf("acceptedAt = %v, want %v", got.queued.AcceptedAt, tt.acceptedAt)
			}
			group := read(tt.message).group
			if group == "" {
				group = "m-1"
			}
			if got.group != group || got.letterID != "m-1" {
				t.Errorf("group %q, letter %q", got.group, got.letterID)
			}
		})
	}
}

func TestALetterOfAnotherQueueDoesNotGoToThisOne(t *testing.T) {
	t.Parallel()
	p := newPlan()
	p.queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/other-TenantQueue"
	_, err := p.parcel(read(fromGroup(message(queuedText(t, "acme", "e", now)), "g")))
	if err == nil || !strings.Contains(err.Error(), "--tenant-queue") {
		t.Errorf("parcel = %v", err)
	}
}

func TestMending(t *testing.T) {
	t.Parallel()
	p := newPlan()
	p.mend = mend{detail: []byte(goodDetail)}
	got, err := p.parcel(aged(refused(badDetail), time.Hour))
	if err != nil || !strings.HasPrefix(string(got.bus.Detail), `{"eventId":"b-1"`) {
		t.Errorf("another detail: %+v, %v", got.bus, err)
	}
	p.mend = mend{detailType: "goal.exploded"}
	if _, err := p.parcel(aged(refused(goodDetail), time.Hour)); err == nil || !strings.Contains(err.Error(), "detail-type must") {
		t.Errorf("a type that is none: %v", err)
	}

	put := message(queuedText(t, "acme", "e-1", now), "reason", "not_storable", "refusedBy", "pusher")
	p.mend = mend{detail: []byte(strings.Replace(goodDetail, `"ana"`, `"bob"`, 1))}
	got, err = p.parcel(read(put))
	if err != nil {
		t.Fatal(err)
	}
	e := got.queued.Event
	if !strings.Contains(string(e.Data), `"bob"`) || e.EventID != "e-1" || e.CorrelationID != "call-1" || e.Type != event.GoalResumed || !e.Timestamp.Equal(now) {
		t.Errorf("a message's other detail: %+v", e)
	}
	for name, detail := range map[string]string{
		"another tenant": strings.Replace(goodDetail, "acme", "rival", 1), "another event": strings.Replace(goodDetail, "{", `{"eventId":"e-2",`, 1),
	} {
		p.mend = mend{detail: []byte(detail)}
		if _, err := p.parcel(read(put)); err == nil || !strings.Contains(err.Error(), "must stay") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
