package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// serve answers calls of AWS. Answers that refuse can't be had from the real services of the local stack.
func serve(t *testing.T, answer func(operation string, body map[string]any) (status int, answer string)) stack {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		status, text := answer(operation, body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	cfg, err := awsConfig(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RetryMaxAttempts = 1
	client := sqs.NewFromConfig(cfg)
	return stack{
		box{client, server.URL + "/1/DeadLetterQueue"}, box{client, server.URL + "/1/TenantDeadLetterQueue"}, &tenantQueue{client, tenantQueueURL},
		&bus{client: eventbridge.NewFromConfig(cfg), name: "prod-events"},
	}
}

// parcels are of so many letters, each with its own event.
func parcels(t *testing.T, count int, queued bool) []parcel {
	t.Helper()
	all := make([]parcel, count)
	for i := range all {
		l := aged(refused(strings.Replace(goodDetail, "{", fmt.Sprintf(`{"eventId":"e-%d",`, i), 1)), 0)
		if queued {
			l = read(fromGroup(message(queuedText(t, "acme", fmt.Sprint("e-", i), now)), "group"))
		}
		l.id = fmt.Sprint("letter-", i)
		var err error
		if all[i], err = newPlan().parcel(l); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAnEntryThatTheBusRefusesIsNotSentAndTheOthersAre(t *testing.T) {
	t.Parallel()
	st := serve(t, func(operation string, body map[string]any) (int, string) {
		if operation != "PutEvents" {
			t.Errorf("%s was called", operation)
		}
		return 200, `{"FailedEntryCount":1,"Entries":[{"EventId":"1"},{"ErrorCode":"ThrottlingException","ErrorMessage":"slow down"},{"EventId":"3"}]}`
	})
	got := st.bus.send(t.Context(), parcels(t, 3, false))
	if len(got) != 3 || got[0] != nil || got[2] != nil || got[1] == nil || !strings.Contains(got[1].Error(), "prod-events: ThrottlingException: slow down") || errors.Is(got[1], errCall) {
		t.Errorf("send = %v", got)
	}
}

func TestEntriesOfACallStayBelowAMegabyte(t *testing.T) {
	t.Parallel()
	var sizes []int
	st := serve(t, func(_ string, body map[string]any) (int, string) {
		entries := body["Entries"].([]any)
		sizes = append(sizes, len(entries))
		return 200, `{"Entries":[` + strings.TrimSuffix(strings.Repeat(`{"EventId":"1"},`, len(entries)), ",") + `]}`
	})
	large := parcels(t, 10, false)
	for _, p := range large {
		p.bus.Detail = append(bytes.Repeat([]byte(" "), 300_000), p.bus.Detail...)
	}
	for _, err := range st.bus.send(t.Context(), large) {
		if err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(sizes) != "[3 3 3 1]" {
		t.Errorf("entries of each call: %v", sizes)
	}
}

func TestAMessageThatTheQueueRefusesIsNotSentAndTheOthersAre(t *testing.T) {
	t.Parallel()
	st := serve(t, func(_ string, body map[string]any) (int, string) {
		for i, e := range body["Entries"].([]any) {
			entry := e.(map[string]any)
			if entry["MessageGroupId"] != "group" || entry["MessageDeduplicationId"] != fmt.Sprint("letter-", i) {
				t.Errorf("entry = %v: not of the letter's group, or not under its own deduplication id", entry)
			}
		}
		return 200, `{"Successful":[],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}`
	})
	got := st.tenants.send(t.Context(), parcels(t, 2, true))
	if len(got) != 2 || got[0] == nil || got[1] == nil || !strings.Contains(got[1].Error(), "InternalError") {
		t.Errorf("send = %v: neither was said to be accepted", got)
	}
}

func TestACallThatDoesNotGetThroughEndsTheRun(t *testing.T) {
	t.Parallel()
	st := serve(t, func(string, map[string]any) (int, string) {
		return 400, `{"__type":"AccessDeniedException","message":"not allowed"}`
	})
	for _, got := range [][]error{st.bus.send(t.Context(), parcels(t, 2, false)), st.tenants.send(t.Context(), parcels(t, 2, true))} {
		if len(got) != 2 || !errors.Is(got[0], errCall) || !errors.Is(got[1], errCall) || !strings.Contains(got[0].Error(), "not allowed") {
			t.Errorf("send = %v", got)
		}
	}
	if err := st.bus.takes(t.Context(), *parcels(t, 1, false)[0].bus); !errors.Is(err, errBus) || !strings.Contains(err.Error(), "--bus") {
		t.Errorf("takes = %v", err)
	}
}

func TestOnlyWhatAnEnabledRuleTakesGoesToTheBus(t *testing.T) {
	t.Parallel()
	var calls []string
	st := serve(t, func(operation string, body map[string]any) (int, string) {
		calls = append(calls, operation)
		switch {
		case operation == "ListRules" && body["NextToken"] == nil:
			return 200, `{"Rules":[{"State":"DISABLED","EventPattern":"{\"off\":[1]}"},{"State":"ENABLED","ScheduleExpression":"rate(1 day)"}],"NextToken":"2"}`
		case operation == "ListRules":
			return 200, `{"Rules":[{"State":"ENABLED","EventPattern":"{\"on\":[1]}"}]}`
		case body["EventPattern"] != `{"on":[1]}`:
			t.Errorf("pattern %v was tested", body["EventPattern"])
		}
		return 200, fmt.Sprintf(`{"Result":%v}`, strings.Contains(body["Event"].(string), "purposepath.goals"))
	})
	ours := *parcels(t, 1, false)[0].bus
	theirs := ours
	theirs.Source = "elsewhere"
	for range 2 {
		if err := st.bus.takes(t.Context(), ours); err != nil {
			t.Error(err)
		}
		if err := st.bus.takes(t.Context(), theirs); err == nil || errors.Is(err, errBus) || !strings.Contains(err.Error(), "would be dropped") {
			t.Errorf("takes = %v", err)
		}
	}
	if got := strings.Join(calls, " "); got != "ListRules ListRules TestEventPattern TestEventPattern" {
		t.Errorf("calls = %s", got)
	}
}

func TestALetterThatIsNotDeletedIsNamed(t *testing.T) {
	t.Parallel()
	st := serve(t, func(operation string, _ map[string]any) (int, string) {
		if operation == "PutEvents" {
			return 200, `{"Entries":[{"EventId":"1"},{"EventId":"2"}]}`
		}
		return 200, `{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"ReceiptHandleIsInvalid","Message":"too late","SenderFault":true}]}`
	})
	var lines bytes.Buffer
	p := printer{&lines, false, newPlan().now}
	s := newMemory(t, false).session(true)
	s.bus, s.show = st.bus, p.letter
	held := map[string]string{"letter-1": "r1", "letter-2": "r2"}
	letters := newMemory(t, false).letters[1:3]
	err := s.page(context.Background(), st.deadLetters, letters, held)
	if err != nil || s.tally != [verdicts]int{sent: 1, failed: 1} || len(held) != 1 || held["letter-2"] == "" {
		t.Errorf("page = %v, tally %v, held %v", err, s.tally, held)
	}
	if !strings.Contains(lines.String(), "sent (a second time does no harm), but not deleted: ReceiptHandleIsInvalid: too late") {
		t.Errorf("lines:\n%s", &lines)
	}
}

func TestTheStacksQueuesAreFoundByName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, urls, want, wrong string }{
		{"as CloudFormation names it", `"https://h/1/prod-TenantQueue-1A2B.fifo"`, "https://h/1/prod-TenantQueue-1A2B.fifo", ""},
		{"as the local stack does", `"http://h/1/prod-TenantQueue"`, "http://h/1/prod-TenantQueue", ""},
		{"beside another that begins alike", `"https://h/1/prod-TenantQueueOld-1","https://h/1/prod-TenantQueue-2.fifo"`, "https://h/1/prod-TenantQueue-2.fifo", ""},
		{"none", ``, "", "there is no queue prod-TenantQueue"},
		{"two", `"https://h/1/prod-TenantQueue-1","https://h/1/prod-TenantQueue-2"`, "", "there are 2 queues prod-TenantQueue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := serve(t, func(string, map[string]any) (int, string) { return 200, `{"QueueUrls":[` + tt.urls + `]}` })
			got, err := find(t.Context(), st.tenants.client, "prod-TenantQueue")
			if got != tt.want || (err == nil) != (tt.wrong == "") || err != nil && err.Error() != tt.wrong {
				t.Errorf("find = %q, %v", got, err)
			}
		})
	}
}
