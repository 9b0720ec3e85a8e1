package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/purposepath/realtime/local/localtest"
)

var update = flag.Bool("update", false, "write docs/EDGES.md anew")

// An edge is an input that is wrong, late, doubled or hostile, or a part that fails. Around each, one good event is put before and one
// after: both must arrive, in order, without a hole.
type edge struct {
	input  string // what comes or fails
	answer string // what whoever sent it gets
	ends   string // where it ends
	run    func(t *testing.T, w *edgeWorld)
	// counts are the numbers that the run itself gives away, beside the good events'.
	counts int
}

// An edgeWorld is one edge's tenant, with a client connected.
type edgeWorld struct {
	stack   *localtest.Stack
	tenant  string
	client  *client
	socket  *socket
	service *service
}

// good puts an event and waits until the client has it.
func (w *edgeWorld) good(t *testing.T, id string) {
	t.Helper()
	w.service.put(w.tenant, id)
	w.until(t, id)
}

// until receives until the client has the events.
func (w *edgeWorld) until(t *testing.T, ids ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; w.receive() {
		have := w.client.ids()
		if !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(have, id) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the client has %v, not all of %v", have, ids)
		}
	}
}

// receive takes one frame, as a client does: where the connection has ended it connects anew, where none comes for a while it pings
// with its position.
func (w *edgeWorld) receive() {
	select {
	case m, open := <-w.socket.frames:
		switch {
		case !open:
			w.socket = w.client.connect()
		case m.Type == "pong":
			w.client.answered(w.socket, m.answer(w.client.t))
		case m.Type == "connection_error" || m.Message != "": // a refusal, or the gateway's own frame: asked again
		default:
			w.client.take(m)
		}
	case <-time.After(time.Second):
		_ = w.socket.trySend(`{"action":"ping","lastSequence":%d}`, w.client.position)
	}
}

// edgeSpeed is that of the clock of the stack that faults are injected into: a minute passes in one and a half seconds, so that retries
// after minutes can be seen; ten minutes of idleness still outlast the ten seconds of an integration's time-out.
const edgeSpeed = 40

// TestEdges is the matrix of docs/EDGES.md.
func TestEdges(t *testing.T) {
	t.Parallel()
	fast := localtest.Start(t, localtest.Options{Speed: edgeSpeed})
	for i, e := range edges() {
		// One after the other: a fault would strike the others' calls too.
		if !t.Run(e.input, func(t *testing.T) {
			tenant := fmt.Sprint("edge-", i)
			w := &edgeWorld{stack: fast, tenant: tenant, client: newClient(t, fast, tenant, "ana", `["batch"]`), service: newService(t, fast)}
			w.client.token = fast.Token(t, tenant, "ana", 100*time.Hour) // on the stack's clock
			w.socket = w.client.connect()
			w.good(t, "before")
			defer fast.NoFaults(t)
			e.run(t, w)
			fast.NoFaults(t)
			w.good(t, "after")
			inOrder(t, e.input, w.client)
			ids := w.client.ids()
			if ids[0] != "before" || ids[len(ids)-1] != "after" || len(ids) != 2+e.counts || w.client.lost {
				t.Errorf("the client has %v, lost %v; want before, %d of the edge's own, after", ids, w.client.lost, e.counts)
			}
		}) {
			t.Logf("edge %d failed", i)
		}
	}
	for _, problem := range logProblems(fast) {
		t.Error(problem)
	}
}

// TestEdgesPage holds docs/EDGES.md to the edges; -update writes it.
func TestEdgesPage(t *testing.T) {
	t.Parallel()
	const page = "../docs/EDGES.md"
	var b strings.Builder
	b.WriteString("# Edges\n\nEvery input that is wrong, late, doubled or hostile, and every part that fails: what it is answered, and where it ends. Around each the test\n" +
		"puts one good event before and one after; both arrive, in order, without a hole. Generated from `conformance/edges*_test.go` by\n" +
		"`go test ./conformance -run TestEdgesPage -update`.\n\n" +
		"| input | answer | where it ends | test |\n|---|---|---|---|\n")
	for _, e := range edges() {
		fmt.Fprintf(&b, "| %s | %s | %s | `TestEdges/%s` |\n", e.input, e.answer, e.ends, strings.ReplaceAll(e.input, " ", "_"))
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(written)); diff != "" {
		t.Errorf("docs/EDGES.md is not the edges' (-want +got):\n%s", diff)
	}
}

func edges() []edge { return slices.Concat(messageEdges(), eventEdges(), faultEdges()) }
