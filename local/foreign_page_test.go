package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// AWS's services check no signature here: what keeps a page that a developer opens from calling them is the name a browser sends.
func TestAPageOfElsewhereReachesNoService(t *testing.T) {
	t.Parallel()
	r := start(t)
	for _, call := range []struct{ name, path, target string }{
		{name: "a function", path: "/2015-03-31/functions/BroadcasterFunction/invocations"},
		{name: "a table", path: "/", target: "DynamoDB_20120810.ListTables"},
		{name: "a queue", path: "/", target: "AmazonSQS.ListQueues"},
		{name: "the bus", path: "/", target: "AWSEvents.ListEventBuses"},
		{name: "a connection", path: "/@connections/R1kmxc2VNjMCFIA="},
		{name: "the faults", path: "/_local/faults"},
	} {
		for origin, foreign := range map[string]bool{"https://evil.example": true, "null": true, "http://localhost:3000": false, "": false} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+call.path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "text/plain") // for which a browser asks nobody first
			if call.target != "" {
				request.Header.Set("X-Amz-Target", call.target)
			}
			if origin != "" {
				request.Header.Set("Origin", origin)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			const refusal = "the stack answers to programs and to pages of localhost only\n"
			if refused := response.StatusCode == http.StatusForbidden && string(said) == refusal; refused != foreign {
				t.Errorf("%s, for a page of %q: %s: %s", call.name, origin, response.Status, said)
			}
		}
	}
}

func TestTheStackListensOnThisMachineOnly(t *testing.T) {
	t.Parallel()
	r := start(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	reached := 0
	for _, address := range addresses {
		ip := address.(*net.IPNet).IP
		connection, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), port), patience)
		if err == nil {
			_ = connection.Close()
			reached++
		}
		if err == nil && !ip.IsLoopback() {
			t.Errorf("it answers on %s", ip)
		}
	}
	if reached == 0 {
		t.Error("it answers nowhere")
	}
}
